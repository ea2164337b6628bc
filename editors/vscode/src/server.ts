/** Decides which server is run, and how. */

import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Command, candidates, findPython, type ReadVersion } from './python';

/** The server's default for `backend.api_key_env`. */
export const KEY_VARIABLE = 'TABBY_LS_API_KEY';

/** What decides. */
export interface Wishes {
  /** `tabby-ls.serverCommand`; empty if not set. */
  readonly serverCommand: Command;
  /** `tabby-ls.interpreter`; empty if not set. */
  readonly interpreter: string;
  /** The interpreter selected in the Python extension, asked for only if it is needed. */
  readonly selectedInterpreter: () => Promise<string | undefined>;
  readonly platform: NodeJS.Platform;
  /** Version of the server in the extension, as in `0.1.0`. */
  readonly bundledVersion: string;
}

export interface Server {
  readonly command: Command;
  readonly isBundled: boolean;
}

/** How to start a server process. */
export interface Launch {
  readonly command: string;
  readonly args: string[];
  readonly options: { readonly env: NodeJS.ProcessEnv; readonly cwd: string };
}

const INSTALLED = ['tabby-ls'];

/**
 * Return the server to run, or in one sentence why there is none.
 *
 * The user's own command wins, then an interpreter that is set: what is said in settings is done, or else said not to
 * work. Then a `tabby-ls` that the user has installed, unless it is older than the one in the extension, which the
 * extension was tested with. Where no Python runs that, an older one is better than nothing: `pipx` and `uv tool`
 * bring their own.
 */
export async function chooseServer(
  wishes: Wishes,
  readVersion: ReadVersion = readVersionOf,
): Promise<Server | { problem: string }> {
  if (wishes.serverCommand.length > 0) {
    return { command: wishes.serverCommand, isBundled: false };
  }
  if (wishes.interpreter) {
    return bundledBy(await findPython([[wishes.interpreter]], readVersion));
  }
  const installed = await readVersion(INSTALLED);
  if (installed !== undefined && !isOlder(installed, wishes.bundledVersion)) {
    return { command: INSTALLED, isBundled: false };
  }
  const python = await findPython(candidates(await wishes.selectedInterpreter(), wishes.platform), readVersion);
  if ('problem' in python && installed !== undefined) {
    return { command: INSTALLED, isBundled: false };
  }
  return bundledBy(python);
}

function bundledBy(python: { command: Command } | { problem: string }): Server | { problem: string } {
  // -P: `-m` would otherwise let modules of the working directory stand in for the server's.
  return 'problem' in python ? python : { command: [...python.command, '-P', '-m', 'tabby_ls'], isBundled: true };
}

/** Whether what `tabby-ls --version` printed names a version before `version`. What names none is of no use. */
function isOlder(printed: string, version: string): boolean {
  const numbers = (text: string) => /(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number);
  const [theirs, ours] = [numbers(printed), numbers(version)];
  if (!theirs || !ours) {
    return true;
  }
  const place = ours.findIndex((number, index) => number !== theirs[index]);
  return place >= 0 && theirs[place]! < ours[place]!;
}

/**
 * Return how to start a server. The API key travels in the environment only, where neither a log nor a list of
 * processes shows it. The working directory is not the workspace: nothing in there may be taken for a program.
 */
export function launch(
  server: Server,
  extensionPath: string,
  environment: NodeJS.ProcessEnv,
  apiKey: string | undefined,
): Launch {
  const env = { ...environment };
  if (server.isBundled) {
    env['PYTHONPATH'] = join(extensionPath, 'bundled', 'libs');
    env['PYTHONUTF8'] = '1';
    delete env['PYTHONHOME'];
  }
  if (apiKey) {
    env[KEY_VARIABLE] = apiKey;
  }
  const [command = '', ...args] = server.command;
  return { command, args, options: { env, cwd: homedir() } };
}

const VERSION_TIMEOUT_MS = 10_000;

function readVersionOf(command: Command): Promise<string | undefined> {
  const [program = '', ...args] = command;
  return new Promise((resolve) => {
    const options = { cwd: homedir(), timeout: VERSION_TIMEOUT_MS };
    execFile(program, [...args, '--version'], options, (error, printed) => resolve(error ? undefined : printed));
  });
}
