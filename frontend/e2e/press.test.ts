import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { button, complaints, launch, live, open, row, shown, until } from './browser.ts';
import { House } from './house.ts';

const LAMP = 100; // ms from the click to the lamp

describe('the four buttons of the starter', () => {
  let house: House;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    [house, browser] = await Promise.all([House.open(), launch()]);
    page = await open(browser, house.url);
    await page.evaluate(() => Object.assign(globalThis, { same: true }));
    await live(page);
  });
  afterAll(async () => {
    await browser?.close();
    await house?.close();
  });

  async function took(action: string, target: string): Promise<number> {
    const query = `action=${action}${target ? `&target=${target}` : ''}&limit=1`;
    const { jobs } = await house.get<{ jobs: { started_at: string; finished_at: string }[] }>(
      `/api/v1/jobs?${query}`,
    );
    return Date.parse(jobs[0]?.finished_at ?? '') - Date.parse(jobs[0]?.started_at ?? '');
  }

  async function press(
    action: string,
    target: string,
    end: string | RegExp,
    timeout?: number,
  ): Promise<string> {
    await button(page, action, target).click();
    await until(row(page, action, target), end, timeout);
    const past = new RegExp(end);
    await expect.poll(async () => (await shown(page, action, target)).at(-1)?.state).toMatch(past); // a frame later
    const seen = await shown(page, action, target);
    const states = seen.map((s) => s.state);
    expect(seen[0]?.after, `${action}: the first lamp`).toBeLessThanOrEqual(LAMP);
    expect(['starting', 'queued', 'running']).toContain(states[0]);
    // What ran for less than a few frames nobody could have seen running.
    if (!states.includes('running')) expect(await took(action, target)).toBeLessThan(100);
    const order = ['starting', 'queued', 'running'];
    expect(states.slice(0, -1)).toEqual(order.filter((s) => states.includes(s))); // each once, in this order
    return row(page, action, target).locator('.detail').innerText();
  }

  it('pushes, and says what moved; a second time there is nothing to do', async () => {
    expect(await press('push', 'berlin', 'succeeded')).toMatch(/commit/);
    expect(await press('push', 'berlin', 'succeeded')).toMatch(/nothing to do/i);
  });

  it('pulls what a colleague did meanwhile', async () => {
    await press('colleague', 'berlin', /succeeded|warning/);
    expect(await press('pull', 'berlin', 'succeeded')).toMatch(/commit|up to date/i);
  });

  it('refuses to push over what a peer has, and says what to do', async () => {
    await press('push', 'oslo', /succeeded|failed/);
    await press('colleague', 'oslo', /succeeded|warning/);
    await press('note', '', /succeeded|warning/);
    const detail = await press('push', 'oslo', 'failed');
    expect(detail).toMatch(/commits you do not have|has commits/i);
    await row(page, 'push', 'oslo').locator('.lamp a').click();
    await expect
      .poll(() => page.locator('telltale-status[size="card"] .error').innerText())
      .toMatch(/[Pp]ull/);
    await page.goBack();
  });

  it('tests the connection, and refuses a wrong key given in the form', async () => {
    await press('dedalus-test', '', 'succeeded');
    await page.getByRole('button', { name: 'Options for Test Dedalus connection' }).click();
    await page.getByLabel('Key').fill('wrong-key');
    await page.getByRole('dialog').getByRole('button', { name: 'Run' }).click();
    await until(row(page, 'dedalus-test'), 'failed');
    expect(await row(page, 'dedalus-test').locator('.detail').innerText()).toMatch(/key/i);
  });

  it('runs the tests with live counters, and ends with what a person should read', async () => {
    await press('tests', '', /succeeded|warning/, 50_000);
  });

  it('did all that without loading the page again, and every job is in the history', async () => {
    expect(await page.evaluate(() => (globalThis as { same?: boolean }).same)).toBe(true);
    await page.getByRole('link', { name: 'History' }).click();
    await expect.poll(() => page.locator('telltale-history tbody tr').count()).toBeGreaterThanOrEqual(9);
    const { jobs } = await house.get<{ jobs: unknown[] }>('/api/v1/jobs?limit=100');
    expect(await page.locator('telltale-history tbody tr').count()).toBe(jobs.length);
    expect(complaints).toEqual([]);
  });
});
