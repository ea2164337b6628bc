/** Decides which server is run, and how. */

import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Command, candidates, findPython, type ReadVersion } from './python';

/** What decides. */
export interface Wishes {
  /** `tabby-ls.serverCommand`; empty if not set. */
  readonly serverCommand: Command;
  /** `tabby-ls.interpreter`; empty if not set. */
  readonly interpreter: string;
  /** The interpreter selected in the Python extension, asked for only if it is needed. */
  readonly selectedInterpreter: () => Promise<string | undefined>;
  readonly platform: NodeJS.Platform;
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

/**
 * Return the server to run, or in one sentence why there is none.
 *
 * The user's own command wins. Then the server in the extension, because its version is the one the extension was
 * tested with. A `tabby-ls` on the PATH may be of any version; it is better than nothing where no suitable Python is
 * on the PATH (`pipx` and `uv tool` bring their own).
 */
export async function chooseServer(
  wishes: Wishes,
  readVersion: ReadVersion = readVersionOf,
): Promise<Server | { problem: string }> {
  if (wishes.serverCommand.length > 0) {
    return { command: wishes.serverCommand, isBundled: false };
  }
  const selected = wishes.interpreter ? undefined : await wishes.selectedInterpreter();
  const python = await findPython(candidates(wishes.interpreter, selected, wishes.platform), readVersion);
  if ('command' in python) {
    // -P: `-m` would otherwise let modules of the working directory stand in for the server's.
    return { command: [...python.command, '-P', '-m', 'tabby_ls'], isBundled: true };
  }
  if (!wishes.interpreter && (await readVersion(['tabby-ls'])) !== undefined) {
    return { command: ['tabby-ls'], isBundled: false };
  }
  return python;
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
    env['TABBY_LS_API_KEY'] = apiKey;
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
