/** The package as users install it: what is in it, and that its server answers. Needs `npm run package` before. */

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  createProtocolConnection,
  InitializeRequest,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver-protocol/node';
import packageJson from '../../package.json';
import { chooseServer, launch } from '../../src/server';

const work = mkdtempSync(join(tmpdir(), 'tabby-ls-vsix-'));
const extension = join(work, 'extension');
const files = () => readdirSync(extension, { recursive: true, encoding: 'utf8' });

before(() => void execFileSync('python3', ['-m', 'zipfile', '-e', 'tabby-ls.vsix', work]));
after(() => rmSync(work, { recursive: true, force: true }));

describe('the package', () => {
  test('holds the extension, the server and the licence', () => {
    const pages = packageJson.contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ media }) => media.markdown));
    const own = ['package.json', 'readme.md', 'changelog.md', 'LICENSE.txt', packageJson.icon, ...pages];
    for (const name of ['dist/extension.js', 'bundled/libs/tabby_ls/__main__.py', ...own]) {
      assert.ok(existsSync(join(extension, name)), name);
    }
  });
  test('holds the server in the version of the extension', () => {
    const source = readFileSync(join(extension, 'bundled/libs/tabby_ls/__init__.py'), 'utf8');
    assert.match(source, new RegExp(`__version__ = "${packageJson.version}"`));
  });
  test('runs everywhere: nothing compiled, no caches', () => {
    const unwanted = files().filter((name) => /__pycache__|\.(pyc|so|pyd|dylib|dll|exe)$/.test(name));
    assert.deepEqual(unwanted, []);
  });
  test('holds nothing that only prints in a terminal', () => {
    assert.deepEqual(files().filter((name) => /^bundled.libs.(rich|pygments)/i.test(name)), []);
  });
  test('holds no sources of the extension and no traces of the machine that made it', () => {
    const unwanted = files().filter((name) => /\.(ts|vsix)$|node_modules|direct_url\.json|^bundled.libs.bin/.test(name));
    assert.deepEqual(unwanted, []);
  });
});

test('its server answers, started as the extension starts it, whatever lies in the working directory', async () => {
  const home = join(work, 'home');
  mkdirSync(home);
  for (const module of ['tabby_ls', 'logging', 'attrs']) {
    writeFileSync(join(home, `${module}.py`), 'raise SystemExit("a stranger\'s module was run")');
  }
  const server = await chooseServer({
    serverCommand: [],
    interpreter: 'python3',
    selectedInterpreter: async () => undefined,
    platform: process.platform,
    bundledVersion: packageJson.version,
  });
  assert.ok('command' in server && server.isBundled);
  const { command, args, options } = launch(server, extension, process.env, undefined);
  const child = spawn(command, args, { ...options, cwd: home, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const connection = createProtocolConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  try {
    connection.listen();
    const gone = ended.then((status) => Promise.reject(new Error(`the server ended with status ${status}`)));
    const params = { processId: process.pid, rootUri: null, capabilities: { textDocument: { inlineCompletion: {} } } };
    const answer = await Promise.race([connection.sendRequest(InitializeRequest.type, params), gone]);
    assert.deepEqual(answer.serverInfo, { name: 'tabby-ls', version: packageJson.version });
    assert.ok(answer.capabilities.inlineCompletionProvider);
  } finally {
    connection.dispose();
    child.kill();
    await ended;
  }
});
