import { isFinal, type Job } from '../contract/job.ts';
import type { LinkState } from '../feed/feed.ts';

/** What a lamp shows. Each has its own icon shape and word. */
export const VIEWS = [
  'idle',
  'starting',
  'queued',
  'running',
  'waiting',
  'canceling',
  'succeeded',
  'warning',
  'failed',
  'timed_out',
  'canceled',
  'interrupted',
  'skipped',
  'lost',
] as const;
export type ViewKey = (typeof VIEWS)[number];

export type Tone = 'neutral' | 'info' | 'success' | 'warning' | 'danger' | 'timeout' | 'lost';

const TONE: Record<ViewKey, Tone> = {
  idle: 'neutral',
  starting: 'info',
  queued: 'neutral',
  running: 'info',
  waiting: 'warning',
  canceling: 'info',
  succeeded: 'success',
  warning: 'warning',
  failed: 'danger',
  timed_out: 'timeout',
  canceled: 'neutral',
  interrupted: 'lost',
  skipped: 'neutral',
  lost: 'lost',
};

/** How far a job has come: known, guessed from past runs, or not known at all. */
export type Bar = { kind: 'known' | 'guessed'; percent: number } | { kind: 'unknown' };

export interface View {
  key: ViewKey;
  tone: Tone;
  /** Something is happening, or about to. */
  busy: boolean;
  final: boolean;
  bar: Bar | undefined;
  /** Milliseconds since it was queued or started, or how long it took. */
  elapsed: number | undefined;
  canCancel: boolean;
  canRetry: boolean;
}

export interface Seen {
  job: Job | undefined;
  link?: LinkState | undefined;
  /** What this page asked for and has no answer to yet. */
  pending?: 'start' | 'cancel' | undefined;
  /** The server's clock (ms). */
  now: number;
  /** This machine's wall clock (ms), by which the link's times are. */
  local?: number;
}

/** How long a link may be reconnecting before the last known state is no longer shown as if it lived. */
export const GRACE = 10_000;

/** Everything an element shows is a function of what was seen. */
export function derive(seen: Seen): View {
  const { job, now } = seen;
  const key = keyOf(seen);
  const final = !!job && isFinal(job.state);
  return {
    key,
    tone: TONE[key],
    busy: key === 'starting' || key === 'queued' || key === 'running' || key === 'canceling',
    final,
    bar: job ? barOf(job, key, key === 'lost' ? now - unheard(seen) : now) : undefined,
    elapsed: job && key !== 'starting' ? elapsed(job, key === 'lost' ? now - unheard(seen) : now) : undefined,
    canCancel: !!job && !final && key !== 'canceling' && key !== 'lost' && key !== 'starting',
    canRetry: final && key !== 'starting' && key !== 'skipped' && !job?.sealed,
  };
}

function keyOf({ job, link, pending, local = Date.now() }: Seen): ViewKey {
  if (pending === 'start') return 'starting';
  if (!job) return 'idle';
  if (isFinal(job.state))
    return job.state === 'failed' && job.error?.code === 'timeout' ? 'timed_out' : job.state;
  if (link && isLost(link, local)) return 'lost';
  if (job.cancel || pending === 'cancel') return 'canceling';
  return job.state;
}

/** How long the server has not been heard: for that long nobody knows that the job went on. */
function unheard({ link, local = Date.now() }: Seen): number {
  return link?.heardAt === undefined ? 0 : Math.max(0, local - link.heardAt);
}

/** Whether what is shown of a live job can no longer be trusted. */
export function isLost(link: LinkState, local: number): boolean {
  return link.link === 'offline' || (link.link === 'reconnecting' && local - link.since >= GRACE);
}

function barOf(job: Job, key: ViewKey, now: number): Bar | undefined {
  if (key !== 'running' && key !== 'canceling' && key !== 'lost') return undefined;
  if (job.state !== 'running') return undefined;
  const { progress, expected } = job;
  if (progress?.percent !== undefined) {
    return { kind: progress.estimated ? 'guessed' : 'known', percent: clamp(progress.percent) };
  }
  if (expected && expected.p50_ms > 0 && key !== 'canceling') {
    return { kind: 'guessed', percent: guess((elapsed(job, now) ?? 0) / expected.p50_ms) };
  }
  return key === 'lost' ? undefined : { kind: 'unknown' };
}

/** A guess from past runs: even up to four fifths, then ever slower, and never done before it is. */
export function guess(part: number): number {
  if (part <= 0.8) return clamp(part * 100);
  return 80 + 15 * (1 - Math.exp(-(part - 0.8) / 0.6));
}

/** Since it was queued or started, or how long it took. */
export function elapsed(job: Job, now: number): number | undefined {
  if (job.state === 'skipped') return undefined;
  const from = Date.parse(job.started_at ?? job.created_at);
  const to = job.finished_at ? Date.parse(job.finished_at) : now;
  return Math.max(0, to - from);
}

const clamp = (percent: number): number => Math.max(0, Math.min(100, percent));
