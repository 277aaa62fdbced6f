import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axe, button, complaints, launch, link, live, open, row, settled, until } from './browser.ts';
import { House } from './house.ts';

const SHOTS = process.env.SHOTS;
if (SHOTS) mkdirSync(SHOTS, { recursive: true });

/** Pictures of a page in light and dark, wide and narrow, if SHOTS names a folder; and axe on the way. */
async function picture(page: Page, name: string): Promise<void> {
  for (const [scheme, width] of [
    ['light', 1440],
    ['dark', 1440],
    ['light', 390],
    ['dark', 390],
  ] as const) {
    const least = width === 390 ? 844 : 900;
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: least });
    const size = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      document.documentElement.scrollHeight,
    ]);
    expect(size[0], `${name} at ${width}`).toBeLessThanOrEqual(width); // nothing sticks out
    if (SHOTS) {
      await page.setViewportSize({ width, height: Math.min(2_000, Math.max(least, size[1] ?? 0)) });
      await settled(page);
      await page.screenshot({ path: join(SHOTS, `${name}-${scheme}-${width}.png`) });
    }
    if (width === 1440) expect(await axe(page), `${name} ${scheme}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1280, height: 800 });
}

describe('the pages', () => {
  let house: House;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    [house, browser] = await Promise.all([House.open(), launch()]);
    page = await open(browser, house.url);
    await live(page);
  });
  afterAll(async () => {
    await browser?.close();
    await house?.close();
  });

  it('show every action with its targets, in groups, before anything ran', async () => {
    await row(page, 'push', 'berlin').waitFor();
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('Actions');
    await picture(page, 'actions-fresh');
    await page.getByRole('link', { name: 'History' }).click();
    await page.getByText('Nothing has run yet').waitFor();
    await picture(page, 'history-empty');
  });

  it('ask for what an action needs, and put the server’s complaint at the field', async () => {
    await page.goto(house.url);
    await button(page, 'greet').click();
    const dialog = page.getByRole('dialog', { name: 'Greet' });
    await dialog.waitFor();
    await picture(page, 'form');
    await dialog.getByRole('button', { name: 'Run' }).click();
    expect(await dialog.isVisible()).toBe(true); // the browser asks for what is required
    await page.getByLabel('Whom').fill('LOUD');
    await dialog.getByRole('button', { name: 'Run' }).click();
    await expect.poll(() => page.getByLabel('Whom').getAttribute('aria-invalid')).toBe('true');
    expect(await page.getByLabel('Whom').inputValue()).toBe('LOUD'); // nothing typed is lost
    await picture(page, 'form-complaint');
    await page.getByLabel('Whom').fill('ada');
    await dialog.getByRole('button', { name: 'Run' }).click();
    await until(row(page, 'greet'), 'succeeded');
    expect(await dialog.count()).toBe(0);
  });

  it('show work in all its stages', async () => {
    for (const [action, target] of [
      ['push', 'berlin'],
      ['disk', ''],
      ['dedalus-test', ''],
    ] as const) {
      await button(page, action, target).click();
      await until(row(page, action, target), /succeeded|warning|failed/);
    }
    await button(page, 'slow', 'one').click();
    await button(page, 'slow', 'two').click();
    await until(row(page, 'slow', 'two'), 'running');
    await expect.poll(() => row(page, 'slow', 'one').locator('.detail').innerText()).toMatch(/Step \d\d/);
    expect(await page.title()).toMatch(/^\(2\) Actions/);
    expect(await page.locator('link[rel="icon"]').getAttribute('href')).toMatch(/^data:image\/svg/);
    await picture(page, 'actions-busy');
    const places = () =>
      page
        .locator('telltale-action')
        .evaluateAll((rows) => rows.map((r) => r.getBoundingClientRect().top + scrollY));
    const before = await places();
    await row(page, 'slow', 'two')
      .getByRole('button', { name: /^Cancel/ })
      .click();
    await page.getByRole('button', { name: 'Cancel job' }).click();
    await until(row(page, 'slow', 'two'), 'canceled');
    expect(await places()).toEqual(before); // nothing moved
  });

  it('show one job while it runs, with its log, and after', async () => {
    await page.goto(house.url);
    await button(page, 'slow', 'three').click();
    await until(row(page, 'slow', 'three'), 'running');
    await row(page, 'slow', 'three').locator('.lamp a').click();
    await until(page.locator('telltale-status[size="card"]'), 'running');
    await expect.poll(() => page.locator('telltale-log .line').count()).toBeGreaterThan(3);
    await picture(page, 'job-running');
    await until(page.locator('telltale-status[size="card"]'), 'succeeded', 20_000);
    const { log } = await house.get<{ log: { lines: number } }>(`/api/v1${new URL(page.url()).pathname}`);
    await expect.poll(() => page.locator('telltale-log .line').count()).toBe(log.lines); // every line, once
    expect(await page.locator('telltale-log .line .n').last().innerText()).toBe(String(log.lines));
    expect(await page.title()).toMatch(/^Slow work three/);
    await picture(page, 'job-succeeded');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Plain text' }).click(),
    ]);
    expect(
      readFileSync(await download.path(), 'utf8')
        .trimEnd()
        .split('\n'),
    ).toHaveLength(log.lines);
  });

  it('show a failure with what to do next', async () => {
    await page.goto(house.url);
    await page.getByRole('button', { name: 'Options for Test Dedalus connection' }).click();
    await page.getByLabel('Key').fill('wrong-key');
    await page.getByRole('dialog').getByRole('button', { name: 'Run' }).click();
    await until(row(page, 'dedalus-test'), 'failed');
    await row(page, 'dedalus-test').locator('.lamp a').click();
    await until(page.locator('telltale-status[size="card"]'), 'failed');
    expect(await page.locator('telltale-status[size="card"] .error p').innerText()).not.toBe('');
    await picture(page, 'job-failed');
  });

  it('filter the history by state, action and text, in the address, live', async () => {
    await page.getByRole('link', { name: 'History' }).first().click();
    await page.locator('telltale-history tbody tr').first().waitFor();
    await picture(page, 'history');
    await page.getByLabel('Canceled').check();
    await expect.poll(() => page.url()).toContain('state=canceled');
    await expect.poll(() => page.locator('telltale-history tbody tr').count()).toBe(1);
    await page.reload(); // the address is the filter
    await expect.poll(() => page.locator('telltale-history tbody tr').count()).toBe(1);
    await page.getByRole('searchbox').fill('no such words');
    await page.getByText('No jobs match these filters').waitFor();
    await picture(page, 'history-no-match');
    await page.getByRole('button', { name: 'Clear filters' }).first().click();
    await expect.poll(() => page.url()).toMatch(/\/history$/);
    await page.locator('telltale-history tbody tr').first().waitFor();
    const before = await page.locator('telltale-history tbody tr').count();
    await page.mouse.move(5, 5);
    await fetch(`${house.url}/api/v1/actions/greet/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"params":{"whom":"grace"}}',
    });
    await expect.poll(() => page.locator('telltale-history tbody tr').count()).toBe(before + 1);
    // A list is not moved under the pointer of a person.
    await page.locator('telltale-history tbody tr').nth(1).hover();
    await fetch(`${house.url}/api/v1/actions/greet/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"params":{"whom":"linus"}}',
    });
    await page.getByRole('button', { name: '1 new job' }).click();
    await expect.poll(() => page.locator('telltale-history tbody tr').count()).toBe(before + 2);
  });

  it('say that an address leads nowhere, and that a job is not kept', async () => {
    await page.goto(`${house.url}/nowhere`);
    await page.getByText('There is no page here').waitFor();
    await picture(page, 'not-found');
    await page.goto(`${house.url}/jobs/01a20d6d-5a00-7000-9980-b5936c0d788a`);
    await page.getByText('This job is not in the history').waitFor();
  });

  it('say what is wrong with the catalog file, and keep what was loaded', async () => {
    const good = readFileSync(house.catalog, 'utf8');
    writeFileSync(
      house.catalog,
      good.replace('title: Push', 'titel: Push').replace('timeout: 2m', 'timeout: soon'),
    );
    await expect
      .poll(async () => (await house.get<{ trouble: unknown }>('/api/v1/actions')).trouble, {
        timeout: 10_000,
      })
      .not.toBeNull();
    await page.goto(house.url);
    await page.getByText(/The catalog file has 2 faults/).waitFor();
    await row(page, 'push', 'berlin').waitFor();
    await picture(page, 'catalog-trouble');
    writeFileSync(house.catalog, good);
    await expect
      .poll(async () => (await house.get<{ trouble: unknown }>('/api/v1/actions')).trouble, {
        timeout: 10_000,
      })
      .toBeNull();
  });

  it('leave nothing behind when a person goes from one to the next', async () => {
    await page.goto(house.url);
    await row(page, 'push', 'berlin').waitFor();
    const watchers = () =>
      page.evaluate(
        () =>
          (globalThis as unknown as Record<symbol, { watchers: number }>)[Symbol.for('telltale.feed')]
            ?.watchers,
      );
    await expect.poll(() => link(page)).toBe('live');
    const before = await watchers();
    for (let i = 0; i < 10; i++) {
      await page.getByRole('link', { name: 'History' }).click();
      await page.locator('telltale-history tbody tr a').first().click();
      await page.locator('telltale-log .body').waitFor();
      await page.getByRole('link', { name: 'Actions' }).click();
      await row(page, 'push', 'berlin').waitFor();
    }
    await expect.poll(watchers).toBe(before);
  });

  it('say it when the server is gone, and keep what was last heard', async () => {
    await house.stop();
    await expect.poll(() => link(page), { timeout: 15_000 }).toBe('offline');
    await picture(page, 'offline');
    await page.getByRole('link', { name: 'History' }).click();
    await picture(page, 'history-offline');
    await house.start();
    await expect.poll(() => link(page), { timeout: 15_000 }).toBe('live');
    await page.locator('telltale-history tbody tr').first().waitFor(); // loads by itself
    expect(complaints).toEqual([]);
  });
});

describe('an empty house', () => {
  it('says how to begin, and bears long words', async () => {
    const long =
      'Rebuild the search index of all tenants, with archives, for Donaudampfschifffahrtsgesellschaften';
    const [house, browser] = await Promise.all([House.open({ catalog: 'actions: {}\n' }), launch()]);
    try {
      const page = await open(browser, house.url);
      await page.getByText('No actions yet').waitFor();
      await picture(page, 'actions-empty');
      writeFileSync(
        house.catalog,
        `actions:\n  long:\n    title: ${long}\n    description: ${long}, ${long}.\n    targets: {a: {title: a-target-with-a-rather-long-name.example.org}, b: {title: B}}\n    command: {shell: "echo '::summary::${long}'; echo ${'x'.repeat(400)}"}\n`,
      );
      await expect
        .poll(async () => (await house.get<{ actions: unknown[] }>('/api/v1/actions')).actions.length, {
          timeout: 10_000,
        })
        .toBe(1);
      await page.reload();
      await button(page, 'long', 'a').click();
      await until(row(page, 'long', 'a'), 'succeeded');
      await picture(page, 'actions-long');
      await row(page, 'long', 'a').locator('.lamp a').click();
      await page.locator('telltale-log .line').first().waitFor();
      await picture(page, 'job-long');
    } finally {
      await browser.close();
      await house.close();
    }
    expect(complaints).toEqual([]);
  });
});
