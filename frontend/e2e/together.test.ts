import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { button, complaints, launch, live, open, row, until } from './browser.ts';
import { House } from './house.ts';

describe('two people with one button', () => {
  let house: House;
  let browser: Browser;
  let ada: Page;
  let grace: Page;

  beforeAll(async () => {
    [house, browser] = await Promise.all([House.open(), launch()]);
    [ada, grace] = await Promise.all([open(browser, house.url), open(browser, house.url)]);
    for (const page of [ada, grace]) await live(page);
  });
  afterAll(async () => {
    await browser?.close();
    await house?.close();
  });

  it('who press at once start one job, and both watch it', async () => {
    await Promise.all([button(ada, 'slow', 'one').click(), button(grace, 'slow', 'one').click()]);
    await Promise.all([ada, grace].map((p) => until(row(p, 'slow', 'one'), 'running')));
    const { jobs } = await house.get<{ jobs: { id: string }[] }>('/api/v1/jobs?action=slow&target=one');
    expect(jobs).toHaveLength(1);
    for (const page of [ada, grace])
      expect(await row(page, 'slow', 'one').locator('.lamp a').getAttribute('href')).toMatch(
        new RegExp(`/jobs/${jobs[0]?.id}$`),
      );
    const details = await Promise.all(
      [ada, grace].map((p) => row(p, 'slow', 'one').locator('.detail').innerText()),
    );
    expect(details.filter((d) => /^Already running, started by /.test(d)).length).toBeLessThanOrEqual(1);
    expect(
      details.some((d) => /^Already running, started by /.test(d)) || details.every((d) => /^Step/.test(d)),
    ).toBe(true);
  });

  it('see what the other one does: cancel, by keyboard, with the focus kept', async () => {
    const cancel = row(grace, 'slow', 'one').getByRole('button', { name: /^Cancel Slow work One/ });
    await cancel.focus();
    await grace.keyboard.press('Enter');
    const dialog = grace.getByRole('dialog', { name: 'Cancel Slow work One?' });
    await dialog.waitFor();
    expect(
      await grace.evaluate(() => {
        let el = document.activeElement;
        while (el?.shadowRoot?.activeElement) el = el.shadowRoot.activeElement;
        return el?.textContent;
      }),
    ).toBe('Keep running'); // the safe answer has the focus
    await grace.keyboard.press('Tab');
    await grace.keyboard.press('Enter');
    await Promise.all([ada, grace].map((p) => until(row(p, 'slow', 'one'), 'canceled')));
    const focused = await grace.evaluate(() => {
      let el = document.activeElement;
      while (el?.shadowRoot?.activeElement) el = el.shadowRoot.activeElement;
      return el?.className;
    });
    expect(focused).toContain('go'); // the pressed button is gone: its neighbour has it
    expect(complaints).toEqual([]);
  });
});
