/** Which server is run, and with what command and environment. */

import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Command } from '../../src/python';
import { chooseServer, launch, type Wishes } from '../../src/server';

const BUNDLED = ['-P', '-m', 'tabby_ls'];
const nobody: Wishes = {
  serverCommand: [],
  interpreter: '',
  selectedInterpreter: async () => undefined,
  platform: 'linux',
  bundledVersion: '0.9.0',
};
const machine = (printed: Record<string, string>) => async (command: Command) => printed[command.join(' ')];

describe('the server that is chosen', () => {
  const everything = machine({ python3: 'Python 3.11.1', 'tabby-ls': 'tabby-ls 0.10.0', '/py': 'Python 3.12.1' });

  test("is the user's own command before all", async () => {
    const wishes = { ...nobody, serverCommand: ['/opt/tabby-ls', 'serve'], interpreter: '/py' };
    assert.deepEqual(await chooseServer(wishes, everything), { command: ['/opt/tabby-ls', 'serve'], isBundled: false });
  });
  test('then the bundled one with the interpreter that is set, and no other is thought of', async () => {
    const wishes = { ...nobody, interpreter: '/py', selectedInterpreter: () => assert.fail('was asked') };
    assert.deepEqual(await chooseServer(wishes, everything), { command: ['/py', ...BUNDLED], isBundled: true });
  });
  test('is none where the interpreter that is set is too old: nothing else is run in its place', async () => {
    const readVersion = machine({ '/old': 'Python 3.8.0', python3: 'Python 3.12.0', 'tabby-ls': 'tabby-ls 0.9.0' });
    const found = await chooseServer({ ...nobody, interpreter: '/old' }, readVersion);
    assert.deepEqual(found, { problem: 'needs Python 3.11 or later: /old is 3.8' });
  });
  for (const [installed, isTaken] of [
    ['tabby-ls 0.9.0', true],
    ['tabby-ls 0.10.0', true],
    ['tabby-ls 1.0.0rc1', true],
    ['tabby-ls 0.8.12', false],
    ['tabby_ls: something else by this name', false],
  ] as const) {
    test(`then one on the PATH, if it is not older than the bundled one: ${installed}`, async () => {
      const found = await chooseServer(nobody, machine({ python3: 'Python 3.11.1', 'tabby-ls': installed }));
      assert.deepEqual(
        found,
        isTaken
          ? { command: ['tabby-ls'], isBundled: false }
          : { command: ['python3', ...BUNDLED], isBundled: true },
      );
    });
  }
  test('then the bundled one, by the interpreter of the Python extension', async () => {
    const wishes = { ...nobody, selectedInterpreter: async () => '/py' };
    const found = await chooseServer(wishes, machine({ '/py': 'Python 3.12.1', python3: 'Python 3.13.0' }));
    assert.deepEqual(found, { command: ['/py', ...BUNDLED], isBundled: true });
  });
  test('is an old one on the PATH where no Python is suitable', async () => {
    const readVersion = machine({ python3: 'Python 3.9.2', 'tabby-ls': 'tabby-ls 0.1.0' });
    assert.deepEqual(await chooseServer(nobody, readVersion), { command: ['tabby-ls'], isBundled: false });
  });
});

describe('how it is started', () => {
  const bundled = { command: ['python3', ...BUNDLED], isBundled: true };

  test('the bundled one with its own libraries and nothing of the environment in their way', () => {
    const environment = { PYTHONPATH: '/mine', PYTHONHOME: '/mine', PATH: '/bin' };
    const { command, args, options } = launch(bundled, '/extension', environment, undefined);
    assert.deepEqual([command, args], ['python3', BUNDLED]);
    assert.deepEqual(options.env, {
      PATH: '/bin',
      PYTHONPATH: join('/extension', 'bundled', 'libs'),
      PYTHONUTF8: '1',
    });
  });
  test("the user's own with the environment as it is", () => {
    const server = { command: ['/opt/tabby-ls', 'serve'], isBundled: false };
    const environment = { PYTHONPATH: '/mine' };
    const { command, args, options } = launch(server, '/extension', environment, undefined);
    assert.deepEqual([command, args, options.env], ['/opt/tabby-ls', ['serve'], environment]);
  });
  test('not in the workspace, whose files must not be taken for programs', () => {
    assert.equal(launch(bundled, '/extension', {}, undefined).options.cwd, homedir());
  });
  test('with the key in the environment and nowhere else', () => {
    const started = launch(bundled, '/extension', { TABBY_LS_API_KEY: 'former' }, 'sesame');
    assert.equal(started.options.env['TABBY_LS_API_KEY'], 'sesame');
    assert.doesNotMatch(JSON.stringify([started.command, started.args]), /sesame/);
  });
  test("without a key of ours, with the environment's", () => {
    const started = launch(bundled, '/extension', { TABBY_LS_API_KEY: 'former' }, undefined);
    assert.equal(started.options.env['TABBY_LS_API_KEY'], 'former');
  });
});
