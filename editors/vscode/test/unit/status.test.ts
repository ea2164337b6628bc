/** What the status bar and its menu say. */

import assert from 'node:assert/strict';
import { describe as suite, test } from 'node:test';
import packageJson from '../../package.json';
import { parseLogLine } from '../../src/log';
import { menuItems } from '../../src/menu';
import { describe, type View } from '../../src/status';

const running = (state: 'idle' | 'thinking' | 'error' | 'off', message = '') =>
  ({ kind: 'running', status: { state, backend: 'TabbyAPI: Qwen', message } }) as const;
const place = { isServed: true, showsGhostText: true, language: 'python', isLanguageEnabled: true, isFileEnabled: true };
const elsewhere = { ...place, isServed: false };
const OFF_HERE = 'off here: only files, unsaved ones too, and cells of notebooks get suggestions';
const idle: View = { server: running('idle'), isEnabled: true, place };
const refused = running('error', 'The key was refused.');
const noPython = { kind: 'stopped', reason: 'needs Python 3.11 or later: python3 is 3.9' } as const;

suite('the status bar says', () => {
  for (const [name, view, icon, state, severity] of [
    ['idle', idle, 'sparkle', 'idle', 'none'],
    ['thinking', { ...idle, server: running('thinking') }, 'loading~spin', 'thinking', 'none'],
    ['starting', { ...idle, server: { kind: 'starting' } }, 'loading~spin', 'starting', 'none'],
    ['what ails the backend', { ...idle, server: refused }, 'warning', 'The key was refused', 'warning'],
    ['why there is no server', { ...idle, server: noPython }, 'error', noPython.reason, 'error'],
    ['off', { ...idle, isEnabled: false }, 'circle-slash', 'off', 'none'],
    ['off and nothing of errors', { ...idle, isEnabled: false, server: noPython }, 'circle-slash', 'off', 'none'],
    ['off for a language', { ...idle, place: { ...place, isLanguageEnabled: false } }, 'circle-slash', 'off for python', 'none'],
    ['off for a file', { ...idle, place: { ...place, isFileEnabled: false } }, 'circle-slash', 'off for this file', 'none'],
    ["off and why, by the server's word", { ...idle, server: running('off', 'It holds secrets.') }, 'circle-slash', 'off: It holds secrets', 'none'],
    ['where it is off', { ...idle, place: elsewhere }, 'circle-slash', OFF_HERE, 'none'],
    ['what ails the backend, wherever one reads the log', { ...idle, server: refused, place: elsewhere }, 'warning', 'The key was refused', 'warning'],
    ["that VS Code's own setting is off", { ...idle, place: { ...place, showsGhostText: false } }, 'circle-slash', "off: VS Code's setting `editor.inlineSuggest.enabled` is off", 'none'],
    ['idle without an editor', { ...idle, place: undefined }, 'sparkle', 'idle', 'none'],
  ] as const) {
    test(name, () => {
      const backend = view.server.kind === 'running' && severity === 'none' ? 'TabbyAPI: Qwen' : '';
      assert.deepEqual(describe(view), { icon, state, backend, severity });
    });
  }
});

suite('the menu', () => {
  const labels = (view: View) =>
    menuItems(view).flatMap((item) => ('label' in item ? [item.label.replace(/^\$\(.*?\) /, '')] : []));

  test('offers the other state', () => {
    assert.deepEqual(labels(idle).slice(0, 3), ['Switch off', 'Switch off for python', 'Switch off for this file']);
    const off = { ...idle, place: { ...place, isLanguageEnabled: false, isFileEnabled: false } };
    assert.deepEqual(labels(off).slice(0, 3), ['Switch off', 'Switch on for python', 'Switch on for this file']);
  });
  test('offers what a language or a file is left with only where anything is on', () => {
    assert.deepEqual(labels({ ...idle, isEnabled: false }).slice(0, 2), ['Switch on', 'Why was nothing suggested?']);
    for (const place of [undefined, elsewhere]) {
      assert.deepEqual(labels({ ...idle, place }).slice(0, 2), ['Switch off', 'Why was nothing suggested?']);
    }
  });
  test('asks nothing of a server that does not run', () => {
    assert.ok(!labels({ ...idle, server: noPython }).includes('Show statistics'));
  });
  test('runs commands that exist', () => {
    const known = packageJson.contributes.commands.map(({ command }) => command);
    const used = menuItems(idle).flatMap((item) => ('command' in item ? [item.command] : []));
    assert.deepEqual(used.filter((command) => !known.includes(command)), []);
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
