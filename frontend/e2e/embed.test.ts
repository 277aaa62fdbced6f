import { readdirSync, readFileSync } from 'node:fs';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axe, complaints, launch, open } from './browser.ts';
import { House } from './house.ts';

const fixtures = new URL('../../backend/job/testdata/status/', import.meta.url);
const jobs = Object.fromEntries(
  readdirSync(fixtures).map((f) => [
    f.replace('.json', ''),
    JSON.parse(readFileSync(new URL(f, fixtures), 'utf8')),
  ]),
);

describe('the elements on a page of somebody else', () => {
  let house: House;
  let browser: Browser;

  beforeAll(async () => {
    [house, browser] = await Promise.all([House.open(), launch()]);
  });
  afterAll(async () => {
    await browser?.close();
    await house?.close();
  });

  /** A foreign page with the two lines that embed a lamp, and the fixtures at hand. */
  async function host(body: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await open(browser, 'about:blank', options);
    await page.route('**/host.html', (route) =>
      route.fulfill({
        contentType: 'text/html',
        headers: {
          'content-security-policy':
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'",
        },
        body: `<!doctype html><html lang="en"><title>A page</title><meta name="viewport" content="width=device-width"><script type="module" src="/embed/telltale.js"></script><main><h1>A page</h1>${body}</main></html>`,
      }),
    );
    await page.goto(`${house.url}/host.html`);
    await page.evaluate(async () => void (await customElements.whenDefined('telltale-status')));
    return page;
  }

  /** Shows a job in an element that follows nothing. */
  const show = (page: Page, selector: string, job: unknown, more: object = {}) =>
    page.evaluate(
      async ([selector, job, more]) => {
        const el = document.querySelector(selector as string) as HTMLElement & {
          updateComplete: Promise<unknown>;
        };
        Object.assign(el, { status: job, ...(more as object) });
        await el.updateComplete;
      },
      [selector, job, more] as const,
    );
  const polite = (page: Page) => page.locator('#telltale-announcer [aria-live="polite"]').textContent();
  const assertive = (page: Page) => page.locator('#telltale-announcer [aria-live="assertive"]').textContent();

  it('work with two lines of HTML, and share one stream however many they are', async () => {
    const streams: string[] = [];
    const page = await host('');
    page.on('request', (r) => {
      if (r.headers().accept === 'text/event-stream') streams.push(r.url());
    });
    await page.reload();
    await page.evaluate(() => {
      for (let i = 0; i < 20; i++)
        document
          .querySelector('main')
          ?.insertAdjacentHTML(
            'beforeend',
            '<p><telltale-action action="slow" target="one"></telltale-action></p>',
          );
    });
    const first = page.locator('telltale-action').first();
    await first.getByRole('button', { name: 'Slow work One' }).click();
    await expect.poll(() => page.locator('telltale-action[data-state="running"]').count()).toBe(20);
    expect(streams).toHaveLength(1);
    await page.evaluate(() => document.querySelector('main')?.replaceChildren());
    const watchers = () =>
      page.evaluate(
        () =>
          (globalThis as unknown as Record<symbol, { watchers: number }>)[Symbol.for('telltale.feed')]
            ?.watchers,
      );
    await expect.poll(watchers).toBe(0);
  });

  it('never say aloud what was there already, and politely what changes', async () => {
    const page = await host('<telltale-status name="Backup"></telltale-status>');
    await show(page, 'telltale-status', jobs.running);
    await page.waitForTimeout(700);
    expect(await polite(page)).toBe('');
    await show(page, 'telltale-status', jobs.succeeded);
    await expect.poll(() => polite(page)).toBe('Backup succeeded in 8 seconds.');
    expect(await assertive(page)).toBe('');
  });

  it('are urgent only about the failure of what this person started', async () => {
    const page = await host('<telltale-status name="Backup" own></telltale-status>');
    await show(page, 'telltale-status', jobs.running);
    await show(page, 'telltale-status', jobs.failed);
    await expect.poll(() => assertive(page)).toBe('Backup failed. berlin has commits you do not have.');
  });

  it('sum up when many jobs change at once', async () => {
    const page = await host(
      Array.from(
        { length: 5 },
        (_, i) => `<telltale-status id="s${i}" name="Job ${i}"></telltale-status>`,
      ).join(''),
    );
    for (const state of ['running', 'succeeded'])
      for (let i = 0; i < 5; i++)
        await show(page, `#s${i}`, { ...jobs[state], id: `${jobs[state].id.slice(0, -1)}${i}` });
    await expect.poll(() => polite(page)).toBe('5 jobs changed: 5 succeeded.');
  });

  it('tell progress as what it is: known, guessed or unknown', async () => {
    const page = await host('<telltale-status size="row" name="Backup"></telltale-status>');
    const bar = page.getByRole('progressbar', { name: 'Backup progress' });
    await show(page, 'telltale-status', jobs.running);
    expect(await bar.getAttribute('aria-valuenow')).toBe('62');
    expect(await bar.getAttribute('aria-valuetext')).toBe('62%, 250 of 400 objects');
    expect(
      await bar.locator('.fill').evaluate((f) => f.clientWidth / (f.parentElement?.clientWidth ?? 1)),
    ).toBeGreaterThan(0);
    const { progress: _, ...guessed } = jobs.running;
    await show(page, 'telltale-status', guessed, { at: Date.parse('2026-11-24T12:00:20Z') });
    expect(await bar.getAttribute('aria-valuetext')).toBe('about 46%');
    const { expected: __, ...unknown } = guessed;
    await show(page, 'telltale-status', unknown);
    expect(await bar.getAttribute('aria-valuenow')).toBeNull();
    expect(await bar.getAttribute('aria-valuetext')).toBe('In progress, no estimate');
    await show(page, 'telltale-status', jobs.succeeded);
    expect(await bar.count()).toBe(0);
  });

  it('have no fault that axe can find, in any state, size and theme', async () => {
    const each = Object.keys(jobs).flatMap((s) => ['chip', 'row', 'card'].map((size) => ({ s, size })));
    const page = await host(
      each
        .map(
          ({ s, size }) =>
            `<p><telltale-status id="${s}-${size}" size="${size}" name="${s} ${size}" details="/jobs/{id}"></telltale-status></p>`,
        )
        .join(''),
    );
    for (const { s, size } of each)
      await show(page, `#${s}-${size}`, jobs[s], { at: Date.parse('2026-11-24T12:00:20Z') });
    for (const theme of ['light', 'dark']) {
      await page.evaluate((theme) => {
        for (const el of document.querySelectorAll('telltale-status')) el.setAttribute('theme', theme);
      }, theme);
      await page.waitForTimeout(250);
      expect(await axe(page)).toEqual([]);
    }
    await page.setViewportSize({ width: 320, height: 600 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
    for (const b of await page.locator('telltale-status button:visible, telltale-status a:visible').all())
      expect((await b.boundingBox())?.height).toBeGreaterThanOrEqual(24);
  });

  it('stand still for those who want less motion', async () => {
    const page = await host('<telltale-status size="card" name="Backup"></telltale-status>', {
      reducedMotion: 'reduce',
    });
    const { progress: _, expected: __, ...unknown } = jobs.running;
    await show(page, 'telltale-status', unknown);
    const moving = () =>
      page.evaluate(
        () =>
          document.getAnimations().length +
          (document.querySelector('telltale-status')?.shadowRoot?.getAnimations().length ?? 0),
      );
    expect(await moving()).toBe(0);
    await page.emulateMedia({ reducedMotion: 'no-preference' });
    await expect.poll(moving).toBeGreaterThan(0);
  });

  it('parse their attributes and trust none', async () => {
    const page = await host(
      `<telltale-status size="huge" job="../../../etc/passwd"></telltale-status><telltale-status id="x" size="row" details="javascript:alert(1)//{id}" name="&lt;img src=x onerror=alert(1)&gt;"></telltale-status>`,
    );
    expect(await page.locator('telltale-status').first().locator('.chip').count()).toBe(1);
    await show(page, '#x', { ...jobs.failed, error: { code: 'x', message: '<img src=x onerror=alert(1)>' } });
    expect(await page.locator('#x').getByRole('link').count()).toBe(0);
    expect(await page.locator('#x img').count()).toBe(0);
    expect(await page.locator('#x .name').innerText()).toBe('<img src=x onerror=alert(1)>');
    expect(complaints).toEqual([]);
  });
});
