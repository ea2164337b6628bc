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
};
const machine = (printed: Record<string, string>) => async (command: Command) => printed[command.join(' ')];

describe('the server that is chosen', () => {
  const everything = machine({ python3: 'Python 3.11.1', 'tabby-ls': 'tabby-ls 9.9', '/py': 'Python 3.12.1' });

  test("is the user's own command before all", async () => {
    const wishes = { ...nobody, serverCommand: ['/opt/tabby-ls', 'serve'], interpreter: '/py' };
    assert.deepEqual(await chooseServer(wishes, everything), { command: ['/opt/tabby-ls', 'serve'], isBundled: false });
  });
  test('is the bundled one, even where another is on the PATH', async () => {
    assert.deepEqual(await chooseServer(nobody, everything), { command: ['python3', ...BUNDLED], isBundled: true });
  });
  test('runs by the interpreter that is set, without asking the Python extension', async () => {
    const wishes = { ...nobody, interpreter: '/py', selectedInterpreter: () => assert.fail('was asked') };
    assert.deepEqual(await chooseServer(wishes, everything), { command: ['/py', ...BUNDLED], isBundled: true });
  });
  test('is the one on the PATH where no Python is suitable', async () => {
    const readVersion = machine({ python3: 'Python 3.9.2', 'tabby-ls': 'tabby-ls 0.1.0' });
    assert.deepEqual(await chooseServer(nobody, readVersion), { command: ['tabby-ls'], isBundled: false });
  });
  test('is none where the interpreter that is set is too old: nothing else is run in its place', async () => {
    const readVersion = machine({ '/old': 'Python 3.8.0', python3: 'Python 3.12.0', 'tabby-ls': 'tabby-ls 0.1.0' });
    const found = await chooseServer({ ...nobody, interpreter: '/old' }, readVersion);
    assert.deepEqual(found, { problem: 'needs Python 3.11 or later: /old is 3.8' });
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
