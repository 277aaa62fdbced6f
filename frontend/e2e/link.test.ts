import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { button, complaints, launch, link, live, open, row, until } from './browser.ts';
import { House } from './house.ts';
import { Wire } from './wire.ts';

const since = (from: number) => Date.now() - from;

describe('a link that breaks', () => {
  let house: House;
  let wire: Wire;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    [house, browser] = await Promise.all([House.open(), launch()]);
    wire = await Wire.open(house.port);
    page = await open(browser, wire.url);
    await live(page);
  });
  afterAll(async () => {
    await browser?.close();
    wire?.close();
    await house?.close();
  });

  it('that is cut is told, right again within two seconds, live again soon, and the job ends right', async () => {
    await button(page, 'slow', 'one').click();
    await until(row(page, 'slow', 'one'), 'running');
    const from = Date.now();
    wire.cut();
    await expect.poll(() => link(page), { interval: 10 }).toBe('reconnecting');
    await expect.poll(() => link(page), { interval: 10, timeout: 5_000 }).toMatch(/polling|live/);
    expect(since(from)).toBeLessThan(2_000);
    await expect.poll(() => link(page), { interval: 10, timeout: 8_000 }).toBe('live');
    await until(row(page, 'slow', 'one'), 'succeeded');
  });

  it('that is swallowed in silence is told within 10 s, polled within 3 s of that, and live again by itself', async () => {
    await button(page, 'slow', 'two').click();
    await until(row(page, 'slow', 'two'), 'running');
    wire.weather = 'buffered';
    let from = Date.now();
    await expect.poll(() => link(page), { interval: 20, timeout: 12_000 }).not.toBe('live');
    expect(since(from)).toBeLessThan(10_000);
    from = Date.now();
    await expect.poll(() => link(page), { interval: 20, timeout: 5_000 }).toBe('polling');
    expect(since(from)).toBeLessThan(3_000);
    await until(row(page, 'slow', 'two'), 'succeeded', 8_000); // heard by polling
    await expect.poll(() => page.locator('.banner').innerText()).toMatch(/live stream is blocked/);
    wire.weather = 'clear';
    await expect.poll(() => link(page), { interval: 50, timeout: 25_000 }).toBe('live');
    await expect.poll(() => page.locator('.banner').count()).toBe(0);
  });

  it('that is gone altogether is shown apart from the job, never as a bar that lives', async () => {
    await button(page, 'slow', 'three').click();
    await expect
      .poll(() => row(page, 'slow', 'three').locator('.chip').innerText())
      .toMatch(/Running · \d+%/);
    wire.weather = 'dead';
    wire.cutAll();
    await expect.poll(() => link(page), { interval: 20, timeout: 8_000 }).toBe('offline');
    await until(row(page, 'slow', 'three'), 'lost');
    expect(await row(page, 'slow', 'three').locator('.detail').innerText()).toMatch(
      /^Last heard .*: running · \d+%\. The job may still be running\.$/,
    );
    expect(await page.locator('.banner').innerText()).toMatch(/Connection lost at/);
    // A press that cannot be sent says so, and the lamp is not left starting for ever.
    wire.weather = 'clear';
    const from = Date.now();
    await expect
      .poll(() => row(page, 'slow', 'three').getAttribute('data-state'), { interval: 10, timeout: 5_000 })
      .toMatch(/running|succeeded/);
    expect(since(from)).toBeLessThan(2_000);
    await until(row(page, 'slow', 'three'), 'succeeded');
  });

  it('asks at most once a second while it is broken, and never in a burst when it is back', async () => {
    const times: number[] = [];
    const note = (r: { url(): string }) => {
      if (/\/api\/v1\/events/.test(r.url()) && !/topics$/.test(new URL(r.url()).pathname))
        times.push(Date.now());
    };
    page.on('request', note);
    wire.weather = 'dead';
    wire.cutAll();
    await expect.poll(() => link(page), { timeout: 8_000 }).toBe('offline');
    wire.weather = 'clear';
    await expect.poll(() => link(page), { timeout: 8_000 }).toBe('live');
    page.off('request', note);
    for (const [i, at] of times.entries()) if (i > 0) expect(at - (times[i - 1] ?? 0)).toBeGreaterThan(900);
    expect(complaints).toEqual([]);
  });

  it('does not start anything twice when the answer to a press is lost', async () => {
    let lost = false;
    await page.route('**/actions/backup/jobs', async (route) => {
      if (lost) return route.continue();
      lost = true;
      await route.fetch(); // it arrives, the answer does not
      return route.abort('connectionreset');
    });
    await button(page, 'backup').click();
    await until(row(page, 'backup'), 'succeeded', 20_000);
    expect((await house.get<{ jobs: unknown[] }>('/api/v1/jobs?action=backup')).jobs).toHaveLength(1);
    expect(lost).toBe(true);
  });
});
