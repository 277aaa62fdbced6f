// The budget of frontend.md, checked after every build: sizes are gzip, in kB of 1024 bytes.
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url);
const size = (/** @type {string} */ file) =>
  gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length / 1024;
const sum = (/** @type {string[]} */ files) => files.reduce((kb, f) => kb + size(f), 0);
const scripts = readdirSync(new URL('assets/', dist)).filter((f) => /\.(js|css)$/.test(f));

const budget = [
  { what: 'embed/telltale.js, everything an embed needs', kb: sum(['embed/telltale.js']), most: 30 },
  { what: 'first load of the app', kb: sum(['index.html', ...scripts.map((f) => `assets/${f}`)]), most: 120 },
];
for (const { what, kb, most } of budget) console.log(`${kb.toFixed(1)} kB of ${most} kB  ${what}`);
if (budget.some(({ kb, most }) => kb > most)) {
  console.error('over budget');
  process.exit(1);
}
