/** Which Python is taken, and what is said when none will do. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { candidates, type Command, findPython, parseVersion } from '../../src/python';

/** A machine where each command prints what is given for it, and others cannot be run. */
const machine = (printed: Record<string, string>) => async (command: Command) => printed[command.join(' ')];

describe('the order in which Pythons are tried', () => {
  const names = (tries: readonly Command[]) => tries.map((command) => command.join(' '));

  test("the Python extension's comes before the PATH's", () => {
    assert.deepEqual(names(candidates('/venv/python', 'linux')).slice(0, 3), ['/venv/python', 'python3', 'python']);
  });
  test('on the PATH, a later one may hide behind an old python3', () => {
    const expected = ['python3', 'python', 'python3.14', 'python3.13', 'python3.12', 'python3.11'];
    assert.deepEqual(names(candidates(undefined, 'darwin')), expected);
  });
  test('Windows has a launcher', () => {
    assert.deepEqual(names(candidates(undefined, 'win32')), ['py -3', 'python', 'python3']);
  });
});

describe('what --version prints', () => {
  for (const [printed, expected] of [
    ['Python 3.11.7\n', { major: 3, minor: 11 }],
    ['Python 3.9.18', { major: 3, minor: 9 }],
    ['Python 3.15.0a2+\r\n', { major: 3, minor: 15 }],
    ['Python 3.11.9 (abc, Jan 1 2025)\n[PyPy 7.3.20]', { major: 3, minor: 11 }],
    ['', undefined],
    ['tabby-ls 0.1.0', undefined],
  ] as const) {
    test(JSON.stringify(printed), () => assert.deepEqual(parseVersion(printed), expected));
  }
});

describe('the Python that is found', () => {
  test('is the first suitable one', async () => {
    const readVersion = machine({ '/venv/python': 'Python 3.9.1', python3: 'Python 3.12.0', python: 'Python 3.13.0' });
    assert.deepEqual(await findPython(candidates('/venv/python', 'linux'), readVersion), { command: ['python3'] });
  });
  test('may be of a later major version', async () => {
    assert.deepEqual(await findPython([['python']], machine({ python: 'Python 4.0.0' })), { command: ['python'] });
  });
  test('is missed in a sentence that names those that are too old', async () => {
    const found = await findPython(candidates(undefined, 'linux'), machine({ python3: 'Python 3.10.2' }));
    assert.deepEqual(found, { problem: 'needs Python 3.11 or later: python3 is 3.10' });
  });
  test('is missed in a sentence that names what was tried, where there is no Python at all', async () => {
    const found = await findPython(candidates(undefined, 'win32'), machine({}));
    assert.deepEqual(found, { problem: 'needs Python 3.11 or later: py, python, python3 cannot be run' });
  });
});
