import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Job, parseJob, STATES, type State } from '../contract/job.ts';
import type { LinkState } from '../feed/feed.ts';
import { TITLE } from '../i18n/en.ts';
import { linkNote, words } from './text.ts';
import { derive, guess, VIEWS } from './view.ts';

const fixture = (state: State): Job =>
  parseJob(
    JSON.parse(
      readFileSync(new URL(`../../../backend/job/testdata/status/${state}.json`, import.meta.url), 'utf8'),
    ),
    'job',
  );
const now = Date.parse('2026-11-24T12:00:20Z');
const link = (l: LinkState['link'], age = 0): LinkState => ({
  link: l,
  since: now - age,
  heardAt: now - age,
});
const running = fixture('running');
const { progress: _p, ...bare } = running;
const { expected: _e, ...unknown } = bare;

describe('what a lamp shows', () => {
  it.each(STATES)('is the state itself while the link lives: %s', (state) => {
    const view = derive({ job: fixture(state), link: link('live'), now, local: now });
    expect(view.key).toBe(state);
    expect(view.canCancel).toBe(state === 'queued' || state === 'running' || state === 'waiting');
  });

  it('has a word of its own for each of them', () => {
    expect(new Set(VIEWS.map((v) => TITLE[v].title)).size).toBe(VIEWS.length);
    expect(new Set(VIEWS.map((v) => TITLE[v].short)).size).toBe(VIEWS.length);
  });

  it('tells a time limit from another failure', () => {
    const job = { ...fixture('failed'), error: { code: 'timeout', message: 'Stopped at the limit.' } };
    expect(derive({ job, now }).key).toBe('timed_out');
  });

  it('never calls a final job lost, whatever the link does', () => {
    for (const state of ['succeeded', 'warning', 'failed', 'canceled', 'interrupted', 'skipped'] as const)
      expect(derive({ job: fixture(state), link: link('offline', 60_000), now, local: now }).key).toBe(state);
  });

  it.each([
    ['offline', 0, 'lost'],
    ['reconnecting', 2_000, 'running'],
    ['reconnecting', 10_000, 'lost'],
    ['polling', 60_000, 'running'],
    ['live', 60_000, 'running'],
  ] as const)('of a running job, when the link is %s for %i ms, is %s', (l, age, key) => {
    expect(derive({ job: running, link: link(l, age), now, local: now }).key).toBe(key);
  });

  it('stops the clock of a job nobody hears of', () => {
    const seen = { job: running, link: link('offline', 12_000), now, local: now };
    expect(derive(seen).elapsed).toBe(19_000 - 12_000);
    expect(words({ ...seen, view: derive(seen), name: 'Push' }).detail).toBe(
      'Last heard 12 sec. ago: running · 62%. The job may still be running.',
    );
  });

  it('is starting and canceling before the server says so', () => {
    expect(derive({ job: undefined, pending: 'start', now }).key).toBe('starting');
    expect(derive({ job: fixture('succeeded'), pending: 'start', now }).key).toBe('starting');
    expect(derive({ job: running, pending: 'cancel', now }).key).toBe('canceling');
    expect(derive({ job: { ...running, cancel: { by: 'ada', at: running.created_at } }, now }).key).toBe(
      'canceling',
    );
  });

  it('draws known, guessed and unknown progress as different things', () => {
    expect(derive({ job: running, now }).bar).toEqual({ kind: 'known', percent: 62.5 });
    expect(derive({ job: bare, now }).bar).toMatchObject({ kind: 'guessed' });
    expect(derive({ job: unknown, now }).bar).toEqual({ kind: 'unknown' });
    expect(derive({ job: { ...running, progress: { percent: 40, estimated: true } }, now }).bar).toEqual({
      kind: 'guessed',
      percent: 40,
    });
    for (const state of ['queued', 'waiting', 'succeeded', 'failed', 'interrupted'] as const)
      expect(derive({ job: fixture(state), now }).bar).toBeUndefined();
  });

  it('never guesses backwards, and never that it is done', () => {
    let last = -1;
    for (let part = 0; part < 20; part += 0.05) {
      const percent = guess(part);
      expect(percent).toBeGreaterThanOrEqual(last);
      expect(percent).toBeLessThan(96);
      last = percent;
    }
  });

  it('puts it into words', () => {
    const say = (job: Job) => {
      const view = derive({ job, link: link('live'), now, local: now });
      return words({ view, job, name: 'Push berlin', now, link: link('live'), local: now });
    };
    expect(say(running)).toMatchObject({
      title: 'Running · 62%',
      detail: 'Writing objects · 250 of 400 objects · about 20 seconds left',
      elapsed: '0:19',
    });
    expect(say({ ...running, progress: { percent: 99.96, done: 4, total: 4 } }).title).toBe('Running · 99%');
    expect(say(fixture('queued')).detail).toBe('1 job ahead');
    expect(say(fixture('failed'))).toMatchObject({
      say: 'Push berlin failed. berlin has commits you do not have.',
    });
    expect(say(fixture('interrupted')).detail).toMatch(/^The outcome is unknown/);
    expect(
      say({ ...running, created_at: '2026-11-24T11:00:00Z', started_at: '2026-11-24T11:00:00Z' }).detail,
    ).toMatch(/longer than usual/);
  });

  it('says of the link only what a live job needs to know', () => {
    const note = (job: Job, l: LinkState) => linkNote(l, derive({ job, link: l, now, local: now }));
    expect(note(running, link('live'))).toBe('');
    expect(note(running, link('polling'))).toBe('Polling');
    expect(note(running, link('reconnecting'))).toBe('Reconnecting…');
    expect(note(fixture('succeeded'), link('offline'))).toBe('');
  });
});
