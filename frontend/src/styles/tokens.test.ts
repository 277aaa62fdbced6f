import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const src = new URL('../', import.meta.url);
const files = (...ends: string[]): string[] =>
  readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((f) => ends.some((end) => f.endsWith(end)));
const css = readFileSync(new URL('tokens.css', import.meta.url), 'utf8');
const tokens = { light: new Map<string, string>(), dark: new Map<string, string>() };
for (const [, name, light, dark] of css.matchAll(
  /--_([\w-]+): var\(--telltale-[\w-]+, light-dark\((#\w{6}), (#\w{6})\)\)/g,
)) {
  tokens.light.set(name ?? '', light ?? '');
  tokens.dark.set(name ?? '', dark ?? '');
}

/** WCAG 2.2 relative luminance and contrast. */
const channel = (c: number) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
function luminance(hex: string): number {
  const n = Number.parseInt(hex.slice(1), 16);
  return 0.2126 * channel(n >> 16) + 0.7152 * channel((n >> 8) & 255) + 0.0722 * channel(n & 255);
}
function contrast(a: string, b: string): number {
  const [x = 0, y = 0] = [luminance(a), luminance(b)].sort((p, q) => q - p);
  return (x + 0.05) / (y + 0.05);
}

const pairs: [string, string, number][] = [
  ...['canvas', 'surface', 'raised'].flatMap((bg): [string, string, number][] => [
    ['text', bg, 7],
    ['text-2', bg, 4.5],
    ['text-3', bg, 4.5],
    ['accent-text', bg, 4.5],
    ['control-border', bg, 3],
    ['focus', bg, 3],
  ]),
  ...['neutral', 'info', 'success', 'warning', 'danger', 'timeout', 'lost'].flatMap(
    (s): [string, string, number][] => [
      [`${s}-fg`, 'canvas', 4.5],
      [`${s}-fg`, 'surface', 4.5],
      [`${s}-fg`, 'raised', 4.5],
      [`${s}-fg`, `${s}-bg`, 4.5],
      ['text', `${s}-bg`, 7],
      ['text-2', `${s}-bg`, 4.5],
      [`${s}-solid`, 'canvas', 3],
      [`${s}-solid`, 'track', 3],
      ['on-solid', `${s}-solid`, 4.5],
    ],
  ),
  ['text-2', 'sunken', 4.5],
  ['text', 'sunken', 7],
  ['on-accent', 'accent', 4.5],
  ['on-accent', 'accent-hover', 4.5],
  ['on-danger', 'danger-button', 4.5],
  ['log-text', 'log-bg', 7],
  ['log-dim', 'log-bg', 4.5],
  ['log-err', 'log-bg', 4.5],
];

describe('the tokens', () => {
  it.each(['light', 'dark'] as const)('have enough contrast in %s', (theme) => {
    const color = (name: string) => tokens[theme].get(name) ?? '#missing';
    const bad = pairs.filter(([fg, bg, least]) => !(contrast(color(fg), color(bg)) >= least));
    expect(bad).toEqual([]);
  });

  it('are the only place with colors and sizes of type', () => {
    const watched = files('.css', '.ts').filter(
      (f) =>
        !f.endsWith('tokens.css') &&
        !f.includes('.test.') &&
        !f.endsWith('mood.ts') &&
        !f.endsWith('.gen.ts'),
    );
    expect(watched.length).toBeGreaterThan(20);
    for (const file of watched) {
      const text = readFileSync(new URL(file, src), 'utf8').replaceAll(/mask-image:[^;]*;/g, '');
      expect(
        text.match(
          /(?<![.\w])#(?=[0-9a-f]*\d)[0-9a-f]{3,8}\b(?=[\s;,)'"])|\brgba?\(|\bhsla?\(|font-size:\s*\d/gi,
        ),
        file,
      ).toBeNull();
    }
  });

  it('are all defined where they are used', () => {
    const defined = new Set([...css.matchAll(/(--_[\w-]+):/g)].map((m) => m[1]));
    for (const file of files('.css')) {
      const text = readFileSync(new URL(file, src), 'utf8');
      const local = new Set([...text.matchAll(/(--_[\w-]+):/g)].map((m) => m[1]));
      for (const [, name] of text.matchAll(/var\((--_[\w-]+)/g))
        expect(defined.has(name) || local.has(name), `${name} in ${file}`).toBe(true);
    }
  });
});
