import type { Job } from '../contract/job.ts';
import type { LinkState } from '../feed/feed.ts';
import { LINK, outcomeUnknown, plural, TITLE } from '../i18n/en.ts';
import { ago, duration, integer, percent, roughly, spoken, stopwatch } from '../i18n/time.ts';
import type { View } from './view.ts';

/** The words of a view: what it is, what it is doing, and what a voice says of it. */
export interface Words {
  title: string;
  short: string;
  detail: string;
  elapsed: string;
  /** What a voice says when it comes to this. */
  say: string;
}

export interface Told {
  view: View;
  job: Job | undefined;
  name: string;
  now: number;
  link?: LinkState | undefined;
  local?: number;
}

/** Puts a view into words. */
export function words(told: Told): Words {
  const { view, name } = told;
  const { title, short } = TITLE[view.key];
  const part =
    view.bar && view.bar.kind !== 'unknown'
      ? (view.bar.kind === 'guessed' ? '~' : '') + percent(view.bar.percent)
      : '';
  const running = view.key === 'running' && part !== '';
  return {
    title: running ? `${title} · ${part}` : title,
    short: running ? part : short,
    detail: detail(told),
    elapsed: view.elapsed === undefined ? '' : view.final ? duration(view.elapsed) : stopwatch(view.elapsed),
    say: say(told, name),
  };
}

function detail({ view, job, now, link, local = Date.now() }: Told): string {
  if (view.key === 'starting') return 'Sending the request';
  if (!job) return '';
  switch (view.key) {
    case 'queued':
      return queued(job, now);
    case 'running':
      return join(job.phase, amount(job), left(view, job));
    case 'waiting':
      return job.approval?.prompt ?? '';
    case 'canceling':
      return join(job.cancel ? `Asked by ${job.cancel.by}` : '', 'waiting for the work to stop');
    case 'succeeded':
    case 'skipped':
    case 'canceled':
      return join(job.summary ?? '', finished(job, now));
    case 'warning':
      return join(job.summary || plural(job.warning_count ?? 0, 'warning'), finished(job, now));
    case 'failed':
    case 'timed_out':
      return join(job.error?.message ?? job.summary ?? '', finished(job, now));
    case 'interrupted':
      return join(outcomeUnknown, finished(job, now));
    case 'lost':
      return lost(job, view, link, local);
    default:
      return '';
  }
}

function queued(job: Job, now: number): string {
  const wait = job.not_before ? Date.parse(job.not_before) - now : 0;
  if (wait > 0) {
    return join(`Attempt ${job.attempt} of ${job.attempts} starts in ${roughly(wait)}`, job.error?.message);
  }
  if (!job.queue) return 'About to start';
  return job.queue.position <= 1 ? 'Next in line' : `${plural(job.queue.position - 1, 'job')} ahead`;
}

/** "250 of 400 objects". */
export function amount(job: Job): string {
  const p = job.progress;
  if (!p?.total && !p?.done) return '';
  const unit = p.unit ? ` ${p.unit}` : '';
  return p.total ? `${integer(p.done ?? 0)} of ${integer(p.total)}${unit}` : `${integer(p.done ?? 0)}${unit}`;
}

function left(view: View, job: Job): string {
  if (!job.expected || view.elapsed === undefined || view.elapsed < 3_000) return '';
  if (view.elapsed > job.expected.p95_ms) return 'longer than usual';
  const rest = job.expected.p50_ms - view.elapsed;
  return rest >= 2_000 ? `about ${roughly(rest)} left` : '';
}

function finished(job: Job, now: number): string {
  return job.finished_at ? ago(Date.parse(job.finished_at), now) : '';
}

function lost(job: Job, view: View, link: LinkState | undefined, local: number): string {
  const part = view.bar && view.bar.kind === 'known' ? ` · ${percent(view.bar.percent)}` : '';
  const heard = link?.heardAt === undefined ? '' : ` ${ago(link.heardAt, local)}`;
  return `Last heard${heard || ' some time ago'}: ${TITLE[job.state].title.toLowerCase()}${part}. The job may still be running.`;
}

/** How the link is doing, when that is worth a word beside a live job. */
export function linkNote(link: LinkState | undefined, view: View): string {
  if (!link || view.final || view.key === 'idle' || view.key === 'lost') return '';
  if (link.link === 'live' || link.link === 'connecting') return '';
  return LINK[link.link];
}

function say({ view, job }: Told, name: string): string {
  switch (view.key) {
    case 'running':
      return view.bar?.kind === 'known' && view.bar.percent > 0
        ? `${name}: ${Math.floor(view.bar.percent)} percent.`
        : `${name}: running.`;
    case 'starting':
    case 'queued':
    case 'canceling':
      return `${name}: ${view.key}.`;
    case 'waiting':
      return `${name} waits for approval. ${job?.approval?.prompt ?? ''}`.trim();
    case 'succeeded':
      return `${name} succeeded in ${spoken(view.elapsed ?? 0)}.`;
    case 'warning':
      return `${name} succeeded with ${plural(job?.warning_count ?? 1, 'warning')}.`;
    case 'failed':
      return `${name} failed. ${job?.error?.message ?? ''}`.trim();
    case 'timed_out':
      return `${name} timed out after ${spoken(view.elapsed ?? 0)}.`;
    case 'canceled':
      return `${name} canceled.`;
    case 'interrupted':
      return `${name} was interrupted. The outcome is unknown.`;
    case 'skipped':
      return `${name} was skipped.`;
    default:
      return '';
  }
}

/** Parts of one line; a full stop inside it is dropped. */
const join = (...parts: (string | undefined)[]): string =>
  parts
    .filter((p): p is string => !!p)
    .map((p, i, all) => (i < all.length - 1 ? p.replace(/\.$/, '') : p))
    .join(' · ');
