/**
 * Which settings the server is told, and by which way.
 *
 * Only what the user has set is told. VS Code knows a default for every setting, and a default that was sent would
 * win over the user's configuration file and environment.
 */

export const SECTION = 'tabby-ls';

/** Settings of this extension, of which the server knows nothing. */
const OWN = ['serverCommand', 'interpreter'];

/** A setting as package.json declares it. */
interface Declaration {
  readonly scope?: string;
}

/** The part of VS Code's `inspect()` that says what the user has set. */
export interface Inspected {
  readonly globalValue?: unknown;
  readonly workspaceValue?: unknown;
}

export type Inspect = (name: string) => Inspected | undefined;

/** The extension's settings without their prefix, as in `backend.url`. */
export class SettingNames {
  /** Say where code and keys go; the server takes them from `initializationOptions` only. */
  readonly machine: readonly string[];
  /** Travel by `workspace/configuration`. */
  readonly window: readonly string[];

  constructor(packageJson: { contributes: { configuration: { properties: Record<string, Declaration> }[] } }) {
    const declared = Object.assign({}, ...packageJson.contributes.configuration.map((group) => group.properties));
    const names = Object.keys(declared).map((name) => name.slice(SECTION.length + 1));
    const isMachine = (name: string) => declared[`${SECTION}.${name}`].scope === 'machine';
    const ofServer = names.filter((name) => !OWN.includes(name));
    this.machine = ofServer.filter(isMachine);
    this.window = ofServer.filter((name) => !isMachine(name));
  }

  /** Settings that only a new server process can take in. */
  get needRestart(): readonly string[] {
    return [...OWN, ...this.machine];
  }
}

/** Return the machine settings the user has set, nested as the server wants them. A workspace has no say. */
export function machineSettings(names: SettingNames, inspect: Inspect): object {
  return nested(names.machine, (name) => inspect(name)?.globalValue);
}

/** Return the other settings the user or the workspace has set, nested. */
export function windowSettings(names: SettingNames, inspect: Inspect): object {
  return nested(names.window, (name) => {
    const found = inspect(name);
    return name === 'exclude' ? excluded(found) : (found?.workspaceValue ?? found?.globalValue);
  });
}

/** Return what the user excludes, and what a workspace does besides: it brings nothing back. */
function excluded(found?: Inspected): unknown {
  const own = found?.globalValue;
  const more = found?.workspaceValue;
  if (!Array.isArray(own) || own.length === 0) {
    return more ?? own;
  }
  if (!Array.isArray(more)) {
    return own;
  }
  return [...own, ...more.filter((pattern) => !own.includes(pattern) && !String(pattern).startsWith('!'))];
}

/** Return a list with `item` in it if it was not, and without it if it was. */
export function toggled(list: readonly string[], item: string): string[] {
  return list.includes(item) ? list.filter((other) => other !== item) : [...list, item];
}

/** Return what is wrong with an address that the user typed, undefined if nothing is; none at all is fine. */
export function addressProblem(text: string): string | undefined {
  const address = text.trim();
  if (!address) {
    return undefined;
  }
  if (!/^https?:\/\//i.test(address)) {
    return 'An address begins with http:// or https://';
  }
  return URL.canParse(address) ? undefined : 'This is not an address such as http://127.0.0.1:5000';
}

interface Table {
  [name: string]: unknown;
}

function nested(names: readonly string[], valueOf: (name: string) => unknown): Table {
  const root: Table = {};
  for (const name of names) {
    const value = valueOf(name);
    if (value === undefined) {
      continue;
    }
    const path = name.split('.');
    const last = path.pop()!;
    let table = root;
    for (const part of path) {
      table = (table[part] ??= {}) as Table;
    }
    table[last] = value;
  }
  return root;
}
