/** Which settings go to the server, and by which way. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import packageJson from '../../package.json';
import { addressProblem, type Inspected, machineSettings, SettingNames, toggled, windowSettings } from '../../src/settings';

const names = new SettingNames(packageJson);
const set = (values: Record<string, Inspected>) => (name: string) => values[name];

describe('the settings of package.json', () => {
  test('that say where code and keys go are told apart', () => {
    for (const name of ['backend.url', 'backend.headers', 'backend.apiKeyCommand', 'log.file']) {
      assert.ok(names.machine.includes(name), name);
      assert.ok(!names.window.includes(name), name);
    }
    for (const name of ['enabled', 'maxTokens', 'menu.show', 'log.level']) {
      assert.ok(names.window.includes(name), name);
      assert.ok(!names.machine.includes(name), name);
    }
  });
  test("that are the extension's own are not the server's, and need a restart", () => {
    for (const name of ['serverCommand', 'interpreter']) {
      assert.ok(![...names.machine, ...names.window].includes(name), name);
      assert.ok(names.needRestart.includes(name), name);
    }
    assert.ok(names.needRestart.includes('backend.url'));
    assert.ok(!names.needRestart.includes('enabled'));
  });
});

describe('what the server is told', () => {
  test('is nothing where the user has set nothing: a default would win over the configuration file', () => {
    const untouched = () => ({ defaultValue: 1, globalValue: undefined });
    assert.deepEqual(machineSettings(names, untouched), {});
    assert.deepEqual(windowSettings(names, untouched), {});
  });
  test('goes by the two ways, nested', () => {
    const inspect = set({
      'backend.url': { globalValue: 'http://127.0.0.1:5000' },
      'backend.headers': { globalValue: { 'X-A': '1' } },
      'context.prefixShare': { globalValue: 0.5 },
      'local.index': { globalValue: false },
      interpreter: { globalValue: '/py' },
    });
    assert.deepEqual(machineSettings(names, inspect), {
      backend: { url: 'http://127.0.0.1:5000', headers: { 'X-A': '1' } },
    });
    assert.deepEqual(windowSettings(names, inspect), { context: { prefixShare: 0.5 }, local: { index: false } });
  });
  test('of the workspace wins, but not where code and keys go', () => {
    const inspect = set({
      maxTokens: { globalValue: 10, workspaceValue: 20 },
      'backend.url': { globalValue: 'http://mine', workspaceValue: 'http://theirs' },
      'backend.apiKeyCommand': { workspaceValue: ['steal'] },
    });
    assert.deepEqual(windowSettings(names, inspect), { maxTokens: 20 });
    assert.deepEqual(machineSettings(names, inspect), { backend: { url: 'http://mine' } });
  });
  test('of excluded files is what the user says, and what the workspace adds', () => {
    const told = (globalValue?: unknown, workspaceValue?: unknown) =>
      windowSettings(names, set({ exclude: { globalValue, workspaceValue } }));
    assert.deepEqual(told(['secret/'], []), { exclude: ['secret/'] });
    assert.deepEqual(told(['secret/'], ['secret/', '!secret/', '*.md']), { exclude: ['secret/', '*.md'] });
    assert.deepEqual(told(['secret/'], 'nonsense'), { exclude: ['secret/'] });
    assert.deepEqual(told(undefined, ['*.md', '!README.md']), { exclude: ['*.md', '!README.md'] });
    assert.deepEqual(told(), {});
  });
});

test('a language is switched off, and on again', () => {
  assert.deepEqual(toggled(['markdown'], 'python'), ['markdown', 'python']);
  assert.deepEqual(toggled(['markdown', 'python'], 'markdown'), ['python']);
});

describe('an address that is typed', () => {
  for (const address of ['', '  ', 'http://127.0.0.1:5000', 'https://gpu.example/v1', ' http://[::1]:5000 ']) {
    test(`is fine: ${JSON.stringify(address)}`, () => assert.equal(addressProblem(address), undefined));
  }
  for (const address of ['127.0.0.1:5000', 'ftp://gpu', 'http://', 'http://a b']) {
    test(`is not: ${JSON.stringify(address)}`, () => assert.ok(addressProblem(address)));
  }
});
