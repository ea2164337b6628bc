// Bundles the extension into dist/, and with --tests the tests into out/test/.
import { rmSync } from 'node:fs';
import { build } from 'esbuild';

const common = { bundle: true, platform: 'node', target: 'node20', format: 'cjs', external: ['vscode'], logLevel: 'warning' };

if (process.argv.includes('--tests')) {
  rmSync('out', { recursive: true, force: true });
  await build({ ...common, entryPoints: ['test/unit/*.test.ts', 'test/package/*.test.ts'], outdir: 'out/test', outbase: 'test' });
} else {
  await build({ ...common, entryPoints: ['src/extension.ts'], outfile: 'dist/extension.js', minify: true });
}
