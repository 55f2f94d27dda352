// Writes dist/verify.html: page, style and script in one file that may load nothing. The script is not minified: whoever
// wants to read what judges a ledger can.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, '..', '..', 'dist', 'verify.html');

/** The core finds the browser's platform where Node's stands; what is left of Node must fail the build. */
const forBrowser = {
  name: 'for-browser',
  enforce: 'pre',
  resolveId(source, importer) {
    if (source.startsWith('node:')) throw new Error(`${importer} imports ${source}`);
    if (source.endsWith('/platform.ts')) return this.resolve(source.replace(/\.ts$/, '.web.ts'), importer);
  },
};

const built = await build({
  configFile: false,
  root: here,
  logLevel: 'error',
  plugins: [forBrowser],
  build: {
    write: false,
    minify: false,
    modulePreload: false,
    target: 'es2022',
    lib: { entry: join(here, 'page.ts'), formats: ['iife'], name: 'verification' },
  },
});
const output = (Array.isArray(built) ? built[0] : built).output;
const script = output[0].code.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
const style = readFileSync(join(here, 'page.css'), 'utf8');

const source = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const policy = [
  "default-src 'none'",
  `script-src ${source(script)}`,
  `style-src ${source(style)}`,
  'worker-src blob:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
const parts = {
  '<!--policy-->': `<meta http-equiv="Content-Security-Policy" content="${policy}" />`,
  '<!--style-->': `<style>${style}</style>`,
  '<!--script-->': `<script>${script}</script>`,
};
let page = readFileSync(join(here, 'page.html'), 'utf8');
for (const [mark, text] of Object.entries(parts)) page = page.replace(mark, () => text);
writeFileSync(target, page);
