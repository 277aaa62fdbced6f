import { html, nothing, type TemplateResult } from 'lit';
import type { Recent } from '../contract/answers.ts';
import type { Job } from '../contract/job.ts';
import { STATE } from '../i18n/en.ts';

const TONE: Record<string, string> = {
  succeeded: 'success',
  warning: 'warning',
  failed: 'danger',
  interrupted: 'lost',
  queued: 'neutral',
  canceled: 'neutral',
  skipped: 'neutral',
};

export const STRIP = 20;

/** Puts a job into a strip: in place when it is there, else as the newest. */
export function remember(recent: readonly Recent[], job: Job): Recent[] {
  const mark: Recent = {
    id: job.id,
    state: job.state,
    ...(job.target ? { target: job.target } : {}),
    duration_ms:
      job.started_at && job.finished_at ? Date.parse(job.finished_at) - Date.parse(job.started_at) : 0,
    created_at: job.created_at,
  };
  const at = recent.findIndex((r) => r.id === job.id);
  if (at >= 0) return recent.with(at, mark);
  const next = [mark, ...recent].sort((a, b) => (a.id < b.id ? 1 : -1));
  return next.slice(0, STRIP);
}

/** The last runs of an action, oldest first: height is how long each took, colour how it ended. */
export function strip(recent: readonly Recent[]): TemplateResult | typeof nothing {
  if (recent.length === 0) return nothing;
  const longest = Math.max(1, ...recent.map((r) => r.duration_ms ?? 0));
  const counts = new Map<string, number>();
  for (const r of recent) counts.set(r.state, (counts.get(r.state) ?? 0) + 1);
  const words = [...counts]
    .map(([s, n]) => `${n} ${(STATE[s as keyof typeof STATE] ?? s).toLowerCase()}`)
    .join(', ');
  const label = `Last ${recent.length === 1 ? 'run' : `${recent.length} runs`}: ${words}`;
  return html`<div class="strip" role="img" aria-label=${label} title=${label}>${recent
    .toReversed()
    .map((r) => {
      const height = 30 + 70 * Math.sqrt((r.duration_ms ?? 0) / longest);
      return html`<i data-tone=${TONE[r.state] ?? 'info'} .style=${`block-size:${height}%`}></i>`;
    })}</div>`;
}
