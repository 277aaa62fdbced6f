// Every lamp in every size, from the fixtures Go writes: a page to look at while
// drawing, and what the pictures of states are made of. Not part of the product.
import { html, render } from 'lit';
import '../../src/styles/tokens.css';
import '../../src/styles/page.css';
import { type Job, parseJob } from '../../src/contract/job.ts';
import '../../src/elements/log/define.ts';
import '../../src/elements/status/define.ts';
import type { Size } from '../../src/elements/status/status.ts';
import type { LinkState } from '../../src/feed/feed.ts';

const files = import.meta.glob('../../../backend/job/testdata/status/*.json', {
  eager: true,
  import: 'default',
});
const jobs = Object.fromEntries(
  Object.entries(files).map(([path, value]) => [path.replace(/.*\/|\.json/g, ''), parseJob(value, path)]),
) as Record<Job['state'], Job>;

const at = Date.parse('2026-11-24T12:00:20Z');
const live: LinkState = { link: 'live', since: at, heardAt: at };
const offline: LinkState = { link: 'offline', since: at - 20_000, heardAt: at - 12_000 };
const polling: LinkState = { link: 'polling', since: at - 20_000, heardAt: at - 1_000 };
const { progress: _, ...bare } = jobs.running;
const { expected: __, ...unknown } = bare;
const long =
  'Rebuild the search index of every tenant, including the archived ones, and publish Donaudampfschifffahrtsgesellschaftskapitän';

const shown: { what: string; job?: Job; link?: LinkState; pending?: 'start' }[] = [
  { what: 'idle' },
  { what: 'starting', pending: 'start' },
  { what: 'queued', job: jobs.queued },
  { what: 'attempt', job: { ...jobs.queued, attempt: 2, not_before: '2026-11-24T12:00:40Z' } },
  { what: 'running', job: jobs.running },
  { what: 'guessed', job: bare },
  { what: 'unknown', job: { ...unknown, phase: 'Contacting the storage cluster' } },
  { what: 'waiting', job: jobs.waiting },
  { what: 'canceling', job: { ...jobs.running, cancel: { by: 'grace', at: '2026-11-24T12:00:10Z' } } },
  { what: 'succeeded', job: jobs.succeeded },
  { what: 'warning', job: jobs.warning },
  { what: 'failed', job: jobs.failed },
  {
    what: 'timed out',
    job: {
      ...jobs.failed,
      error: {
        code: 'timeout',
        message: 'Stopped at the 2-minute limit.',
        hint: 'Raise timeout in the catalog, or split the work.',
      },
    },
  },
  { what: 'canceled', job: jobs.canceled },
  { what: 'interrupted', job: jobs.interrupted },
  { what: 'skipped', job: jobs.skipped },
  { what: 'lost', job: jobs.running, link: offline },
  { what: 'polling', job: jobs.running, link: polling },
  {
    what: 'long',
    job: {
      ...jobs.running,
      title: long,
      target: 'a-target-with-a-rather-long-name.example.org',
      phase: `${long}; ${long}`,
    },
  },
];

const params = new URLSearchParams(location.search);
const size = (params.get('size') ?? 'row') as Size;
if (params.get('theme')) document.documentElement.dataset.theme = params.get('theme') ?? '';
if (params.get('dir')) document.documentElement.dir = params.get('dir') ?? '';

render(
  html`<h1 style="position:absolute;clip-path:inset(50%)">Every lamp</h1>
    <div style="display:grid;gap:12px;padding:16px;max-width:720px;grid-template-columns:minmax(0,1fr);justify-items:${size === 'chip' ? 'start' : 'stretch'}">
      ${shown.map(
        (
          s,
        ) => html`<telltale-status data-what=${s.what} size=${size} .at=${at} .status=${s.job} .link=${s.link ?? live}
          .pending=${s.pending} name=${s.job ? '' : 'Push berlin'} details="#{id}"></telltale-status>`,
      )}
    </div>`,
  document.querySelector('#main') as HTMLElement,
);
