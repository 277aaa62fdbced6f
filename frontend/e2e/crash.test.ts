import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { button, complaints, launch, link, open, row, until } from './browser.ts';
import { House } from './house.ts';

describe('a server that is killed in mid-job', () => {
  let house: House;
  let browser: Browser;
  let home: Page;
  let detail: Page;

  beforeAll(async () => {
    [house, browser] = await Promise.all([House.open(), launch()]);
    home = await open(browser, house.url);
    await button(home, 'slow', 'one').click();
    await row(home, 'slow', 'one').and(home.locator('[data-state="running"]')).waitFor();
    const href = await row(home, 'slow', 'one').locator('.lamp a').getAttribute('href');
    detail = await open(browser, href ?? '');
  });
  afterAll(async () => {
    await browser?.close();
    await house?.close();
  });

  it.each([0, 4_000])('shows interrupted by itself within 2 s of the restart (%i ms later)', async (down) => {
    await until(row(home, 'slow', 'one'), 'running');
    await house.kill();
    await expect.poll(() => link(home), { interval: 10 }).not.toBe('live');
    if (down > 0) {
      await new Promise((done) => setTimeout(done, down));
      await until(row(home, 'slow', 'one'), /lost|running/);
    }
    await house.start();
    const from = Date.now();
    await Promise.all([
      until(row(home, 'slow', 'one'), 'interrupted', 5_000),
      until(detail.locator('telltale-status[size="card"]'), 'interrupted', 5_000),
    ]);
    expect(Date.now() - from).toBeLessThan(2_000);
    expect(await detail.locator('telltale-status[size="card"] .card').innerText()).toMatch(
      /in full, in part, or not at all/,
    );
    expect(await detail.locator('telltale-log .line').count()).toBeGreaterThan(1); // what it said is kept
    // Run again is a new job, on a page of its own.
    const before = detail.url();
    await detail.getByRole('button', { name: /^Run again/ }).click();
    await expect.poll(() => detail.url()).not.toBe(before);
    await until(detail.locator('telltale-status[size="card"]'), 'running');
    await until(row(home, 'slow', 'one'), 'running');
    expect(complaints).toEqual([]);
  });

  it('says goodbye when it is stopped, and the page comes back to the next one', async () => {
    const { jobs } = await house.get<{ jobs: { id: string }[] }>('/api/v1/jobs?state=running');
    for (const { id } of jobs) await fetch(`${house.url}/api/v1/jobs/${id}/cancel`, { method: 'POST' });
    await until(row(home, 'slow', 'one'), 'canceled');
    await house.stop();
    await house.start();
    await expect.poll(() => link(home), { timeout: 10_000 }).toBe('live');
    await until(row(home, 'slow', 'one'), 'canceled');
  });
});
