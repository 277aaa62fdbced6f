import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from 'playwright-core';
import { expect } from 'vitest';

/** Chromium as it is on the machine, told not to talk to its makers. */
export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** What a page must never say: errors, refused policies, failed scripts. */
export const complaints: string[] = [];

/** Opens a page that is watched for complaints. Requests that fail while a test breaks the link are none. */
export async function open(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context: BrowserContext = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    locale: 'en-US',
    timezoneId: 'UTC',
    ...options,
  });
  await context.addInitScript(record);
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on('pageerror', (e) => complaints.push(`${e.stack ?? e}`));
  page.on('console', (m) => {
    if (m.type() === 'error' && !/^Failed to load resource/.test(m.text())) complaints.push(m.text());
  });
  await page.goto(url);
  return page;
}

/** Runs in the page: notes when what was clicked, and every state a lamp showed. */
function record(): void {
  type Seen = { clicks: number[]; states: { id: string; state: string; at: number }[] };
  const seen: Seen = { clicks: [], states: [] };
  (globalThis as unknown as { seen: Seen }).seen = seen;
  addEventListener('click', (e) => seen.clicks.push(e.timeStamp), { capture: true });
  const last = new Map<string, string>();
  const look = () => {
    for (const el of document
      .querySelector('telltale-app')
      ?.shadowRoot?.querySelector('telltale-actions')
      ?.shadowRoot?.querySelectorAll('telltale-action') ?? []) {
      const id = `${el.getAttribute('action')}/${el.getAttribute('target') ?? ''}`;
      const state = (el as HTMLElement).dataset.state ?? '';
      if (last.get(id) === state) continue;
      last.set(id, state);
      seen.states.push({ id, state, at: performance.now() });
    }
    requestAnimationFrame(look); // what a person could have seen: once a frame
  };
  requestAnimationFrame(look);
}

/** The states a lamp showed since the last click, and how long after it each came (ms). */
export async function shown(
  page: Page,
  action: string,
  target = '',
): Promise<{ state: string; after: number }[]> {
  const seen = await page.evaluate(
    () =>
      (
        globalThis as unknown as {
          seen: { clicks: number[]; states: { id: string; state: string; at: number }[] };
        }
      ).seen,
  );
  const click = seen.clicks.at(-1) ?? 0;
  return seen.states
    .filter((s) => s.id === `${action}/${target}` && s.at >= click)
    .map((s) => ({ state: s.state, after: s.at - click }));
}

/** The row of an action on the actions page. */
export const row = (page: Page, action: string, target?: string): Locator =>
  page.locator(`telltale-action[action="${action}"]${target ? `[target="${target}"]` : ''}`);

/** The button of a row. */
export const button = (page: Page, action: string, target?: string): Locator =>
  row(page, action, target).locator('button.go');

/** Waits until a lamp shows a state. */
export async function until(of: Locator, state: string | RegExp, timeout = 15_000): Promise<void> {
  await expect
    .poll(() => of.getAttribute('data-state'), { timeout, interval: 20 })
    .toMatch(state instanceof RegExp ? state : new RegExp(`^${state}$`));
}

/** Waits until the page is live. */
export const live = (page: Page): Promise<void> => page.locator('.link[data-link="live"]').waitFor();

/** What the page says of the link. */
export const link = (page: Page): Promise<string | null> =>
  page.locator('.link[data-link]').getAttribute('data-link');

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Waits until colors and sizes that are on their way have arrived. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const roots = (from: Document | ShadowRoot): (Document | ShadowRoot)[] => [
      from,
      ...[...from.querySelectorAll('*')].flatMap((e) => (e.shadowRoot ? roots(e.shadowRoot) : [])),
    ];
    await frame();
    await frame(); // a change of theme starts its transitions in the frame after it
    const moving = roots(document).flatMap((r) => r.getAnimations());
    await Promise.allSettled(moving.filter((a) => a instanceof CSSTransition).map((a) => a.finished));
  });
}

/** What axe finds wrong with the page: WCAG 2.2 AA and good practice. */
export async function axe(page: Page): Promise<string[]> {
  await settled(page);
  await page.evaluate(axeSource);
  return page.evaluate(async () => {
    const tool = (
      globalThis as unknown as {
        axe: {
          run: (
            of: Document,
            o: object,
          ) => Promise<{ violations: { id: string; nodes: { target: unknown }[] }[] }>;
        };
      }
    ).axe;
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { violations } = await tool.run(document, { runOnly: tags });
    return violations.map((v) => `${v.id}: ${v.nodes.map((n) => JSON.stringify(n.target)).join(', ')}`);
  });
}
