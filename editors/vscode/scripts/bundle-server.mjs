// Puts the server and what it needs into bundled/libs, and the licence beside package.json.
//
// One bundle serves every platform and every Python from 3.11 on. Therefore only pure Python is let in, and the
// installing Python must be the oldest supported one: it decides which backports are left out.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What only the commands for a terminal print with; `test/package` runs the server without it. */
const TERMINAL_ONLY = /^(rich|pygments|markdown_it(_py)?|mdurl)(-[\d.]+\.dist-info)?$/i;

const OLDEST = '3.11';
const extension = dirname(dirname(fileURLToPath(import.meta.url)));
const project = dirname(dirname(extension));
const libs = join(extension, 'bundled', 'libs');

const python = [process.env.PYTHON, `python${OLDEST}`, 'python3', 'python'].filter(Boolean).find(isOldest);
if (!python) {
  throw new Error(`Python ${OLDEST} is needed to bundle the server; name it in the environment variable PYTHON`);
}

const wheels = mkdtempSync(join(tmpdir(), 'tabby-ls-'));
try {
  pip('wheel', '--no-deps', '--wheel-dir', wheels, project);
  const [wheel] = readdirSync(wheels);
  rmSync(libs, { recursive: true, force: true });
  const pure = ['--only-binary=:all:', '--implementation', 'py', '--abi', 'none', '--platform', 'any'];
  pip('install', '--no-compile', ...pure, '--target', libs, join(wheels, wheel));
} finally {
  rmSync(wheels, { recursive: true, force: true });
}
rmSync(join(libs, 'bin'), { recursive: true, force: true }); // programs with this machine's paths in them
for (const name of readdirSync(libs).filter((name) => TERMINAL_ONLY.test(name))) {
  rmSync(join(libs, name), { recursive: true });
}
copyFileSync(join(project, 'LICENSE'), join(extension, 'LICENSE'));

function isOldest(command) {
  try {
    const printed = execFileSync(command, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return printed.startsWith(`Python ${OLDEST}.`);
  } catch {
    return false;
  }
}

function pip(...args) {
  execFileSync(python, ['-m', 'pip', '--quiet', '--disable-pip-version-check', ...args], { stdio: 'inherit' });
}
