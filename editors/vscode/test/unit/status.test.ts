import assert from 'node:assert/strict';
import { describe as suite, test } from 'node:test';
import packageJson from '../../package.json';
import { parseLogLine } from '../../src/log';
import { menuItems } from '../../src/menu';
import { describe, type View } from '../../src/status';

const idle: View = { server: { kind: 'ready' }, isEnabled: true, language: 'python', isLanguageEnabled: true };
const broken = { kind: 'error', reason: 'the key was refused' } as const;

suite('the status bar says', () => {
  for (const [name, view, icon, tooltip, isError] of [
    ['idle', idle, 'sparkle', 'idle', false],
    ['starting', { ...idle, server: { kind: 'starting' } }, 'loading~spin', 'starting', false],
    ['why it does not work', { ...idle, server: broken }, 'error', 'the key was refused', true],
    ['off', { ...idle, isEnabled: false }, 'circle-slash', 'off', false],
    ['off and nothing of errors', { ...idle, isEnabled: false, server: broken }, 'circle-slash', 'off', false],
    ['off for a language', { ...idle, isLanguageEnabled: false }, 'circle-slash', 'off for python', false],
    ['idle without an editor', { ...idle, language: undefined }, 'sparkle', 'idle', false],
  ] as const) {
    test(name, () => {
      assert.deepEqual(describe(view), { text: `$(${icon}) tabby-ls`, tooltip: `tabby-ls: ${tooltip}`, isError });
    });
  }
});

suite('the menu', () => {
  const labels = (view: View) => menuItems(view).map(({ label }) => label.replace(/^\$\(.*?\) /, ''));

  test('offers the other state', () => {
    assert.deepEqual(labels(idle).slice(0, 2), ['Disable', 'Disable for python']);
    assert.deepEqual(labels({ ...idle, isEnabled: false, isLanguageEnabled: false }).slice(0, 2), [
      'Enable',
      'Enable for python',
    ]);
  });
  test('knows of no language without an editor', () => {
    assert.deepEqual(labels({ ...idle, language: undefined }).slice(0, 2), ['Disable', 'Show log']);
  });
  test('runs commands that exist', () => {
    const known = packageJson.contributes.commands.map(({ command }) => command);
    for (const { command } of menuItems(idle)) {
      assert.ok(known.includes(command), command);
    }
  });
});

suite("a line of the server's log", () => {
  test('keeps its level', () => {
    const line = '2026-03-01 10:11:12,345 WARNING tabby_ls.server.status: backend: no answer';
    assert.deepEqual(parseLogLine(line), { level: 'warn', text: 'tabby_ls.server.status: backend: no answer' });
  });
  test('is an error if it is none', () => {
    const line = 'ModuleNotFoundError: No module named tabby_ls';
    assert.deepEqual(parseLogLine(line), { level: 'error', text: line });
  });
});
