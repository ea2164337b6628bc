/** Switching suggestions on and off in one window. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Switches } from '../../src/switches';

const FILE = 'file:///a.py';

test('nothing is told to a server while nothing was switched', () => {
  const switches = new Switches();
  assert.deepEqual(switches.all(), []);
  assert.ok(switches.isEnabled(true));
  assert.ok(!switches.isEnabled(false));
  assert.ok(switches.isFileEnabled(FILE));
});

test('what was switched goes before the setting, and a new server is told', () => {
  const switches = new Switches();
  assert.deepEqual(switches.toggleSession(true), { scope: 'session', enabled: false });
  assert.deepEqual(switches.toggleFile(FILE), { scope: 'file', uri: FILE, enabled: false });
  assert.ok(!switches.isEnabled(true));
  assert.ok(!switches.isFileEnabled(FILE));
  assert.deepEqual(switches.all(), [
    { scope: 'session', enabled: false },
    { scope: 'file', uri: FILE, enabled: false },
  ]);
});

test('the cells of a notebook are one file', () => {
  const switches = new Switches();
  const cell = 'vscode-notebook-cell:/a.ipynb';
  assert.deepEqual(switches.toggleFile(`${cell}#one`), { scope: 'file', uri: cell, enabled: false });
  assert.ok(!switches.isFileEnabled(`${cell}#two`));
});

test('twice switched is as before', () => {
  const switches = new Switches();
  switches.toggleFile(FILE);
  assert.deepEqual(switches.toggleFile(FILE), { scope: 'file', uri: FILE, enabled: true });
  switches.toggleSession(false);
  assert.deepEqual(switches.toggleSession(false), { scope: 'session', enabled: false });
});

test('a setting that is changed later counts', () => {
  const switches = new Switches();
  switches.toggleSession(true);
  switches.forgetSession();
  assert.ok(switches.isEnabled(true));
  assert.deepEqual(switches.all(), []);
});
