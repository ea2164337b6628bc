/** Finds a Python that can run the server. */

/** A program and its first arguments, as in `['py', '-3']`. */
export type Command = readonly string[];

/** Runs a command with `--version` and returns what it prints, undefined if it cannot be run. */
export type ReadVersion = (command: Command) => Promise<string | undefined>;

const OLDEST = { major: 3, minor: 11 };

/** Later versions that may be installed beside an old `python3`, as on macOS. */
const VERSIONED = [14, 13, 12, 11].map((minor) => [`python3.${minor}`]);

/**
 * Return the Pythons to try, the first suitable one wins: the interpreter that the Python extension has selected, and
 * what is on the PATH. Windows has a launcher that knows what is installed.
 */
export function candidates(selected: string | undefined, platform: NodeJS.Platform): Command[] {
  const onPath = platform === 'win32' ? [['py', '-3'], ['python'], ['python3']] : [['python3'], ['python'], ...VERSIONED];
  return selected ? [[selected], ...onPath] : onPath;
}

/** Return the version in what `python --version` prints, undefined if that is no Python. */
export function parseVersion(printed: string): { major: number; minor: number } | undefined {
  const match = /^Python (\d+)\.(\d+)/.exec(printed.trim());
  return match ? { major: Number(match[1]), minor: Number(match[2]) } : undefined;
}

/** Return the first suitable Python, or in one sentence why there is none. */
export async function findPython(
  tries: readonly Command[],
  readVersion: ReadVersion,
): Promise<{ command: Command } | { problem: string }> {
  const tooOld: string[] = [];
  for (const command of tries) {
    const printed = await readVersion(command);
    const version = printed === undefined ? undefined : parseVersion(printed);
    if (version && (version.major > OLDEST.major || (version.major === OLDEST.major && version.minor >= OLDEST.minor))) {
      return { command };
    }
    if (version) {
      tooOld.push(`${command.join(' ')} is ${version.major}.${version.minor}`);
    }
  }
  const found = tooOld.length > 0 ? tooOld.join(', ') : `${tries.map(([name]) => name).join(', ')} cannot be run`;
  return { problem: `needs Python ${OLDEST.major}.${OLDEST.minor} or later: ${found}` };
}
