import type { State, Via } from '../contract/job.ts';
import type { ViewKey } from '../elements/view.ts';
import type { Link } from '../feed/ladder.ts';

/**
 * Every sentence an element says, in one place. Sentence case, American
 * "canceled", no exclamation marks: what happened, what it means, what to do.
 */

/** The word of each view: in full, and where room is short. */
export const TITLE: Record<ViewKey, { title: string; short: string }> = {
  idle: { title: 'Not run yet', short: 'Not run' },
  starting: { title: 'Starting…', short: 'Starting' },
  queued: { title: 'Queued', short: 'Queued' },
  running: { title: 'Running', short: 'Running' },
  waiting: { title: 'Waiting for approval', short: 'Waiting' },
  canceling: { title: 'Canceling…', short: 'Canceling' },
  succeeded: { title: 'Succeeded', short: 'Succeeded' },
  warning: { title: 'Succeeded with warnings', short: 'Warnings' },
  failed: { title: 'Failed', short: 'Failed' },
  timed_out: { title: 'Timed out', short: 'Timed out' },
  canceled: { title: 'Canceled', short: 'Canceled' },
  interrupted: { title: 'Interrupted', short: 'Interrupted' },
  skipped: { title: 'Skipped', short: 'Skipped' },
  lost: { title: 'Connection lost', short: 'Lost' },
};

/** The states as filters name them. */
export const STATE: Record<State, string> = {
  queued: 'Queued',
  running: 'Running',
  waiting: 'Waiting',
  succeeded: 'Succeeded',
  warning: 'Warnings',
  failed: 'Failed',
  canceled: 'Canceled',
  interrupted: 'Interrupted',
  skipped: 'Skipped',
};

export const LINK: Record<Link, string> = {
  connecting: 'Connecting…',
  live: 'Live',
  reconnecting: 'Reconnecting…',
  polling: 'Polling',
  offline: 'Offline',
};

export const LINK_MEANS: Record<Link, string> = {
  connecting: 'Opening the live stream.',
  live: 'Changes show as they happen.',
  reconnecting: 'The live stream broke off. What you see may be a few seconds old.',
  polling: 'The live stream is blocked. Asking every few seconds instead.',
  offline: 'The server does not answer. Jobs keep running there; this page does not see them.',
};

export const VIA: Record<Via, string> = {
  button: 'Button',
  api: 'API',
  cli: 'Command line',
  schedule: 'Schedule',
  flow: 'Flow',
  retry: 'Run again',
  startup: 'Startup',
};

export const outcomeUnknown = 'The outcome is unknown: it may have run in full, in part, or not at all.';

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
}
