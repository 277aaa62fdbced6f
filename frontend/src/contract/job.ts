import type { components } from './api.gen.ts';
import {
  anything,
  bool,
  list,
  number,
  optional,
  type Parser,
  record,
  shape,
  text,
  time,
  word,
} from './parse.ts';

/** The status of one run of an action, exactly as the server stores and sends it. */
export type Job = Omit<components['schemas']['Job'], '$schema'>;
export type State = Job['state'];
export type Via = Job['trigger']['via'];
export type Step = NonNullable<Job['steps']>[number];

/** Every state, in the order a reader meets them. */
export const STATES = [
  'queued',
  'running',
  'waiting',
  'succeeded',
  'warning',
  'failed',
  'canceled',
  'interrupted',
  'skipped',
] as const satisfies readonly State[];

const FINAL: ReadonlySet<State> = new Set([
  'succeeded',
  'warning',
  'failed',
  'canceled',
  'interrupted',
  'skipped',
]);

/** Final is final: nothing follows. */
export const isFinal = (state: State): boolean => FINAL.has(state);

const state = word(...STATES);

const progress = shape({
  percent: optional(number),
  done: optional(number),
  total: optional(number),
  unit: optional(text),
  rate: optional(number),
  estimated: optional(bool),
});

const failure = shape({ code: text, message: text, hint: optional(text), exit_code: optional(number) });

const parsed = shape({
  id: text,
  rev: number,
  action: text,
  title: text,
  target: optional(text),
  state,
  phase: optional(text),
  progress: optional(progress),
  summary: optional(text),
  warnings: optional(list(shape({ message: text, file: optional(text), line: optional(number) }))),
  warning_count: optional(number),
  error: optional(failure),
  trigger: shape({
    via: word('button', 'api', 'cli', 'schedule', 'flow', 'retry', 'startup'),
    by: text,
    schedule: optional(text),
    tick: optional(text),
    reason: optional(text),
    retry_of: optional(text),
  }),
  params: optional(record(anything)),
  sealed: optional(bool),
  attempt: number,
  attempts: number,
  not_before: optional(time),
  steps: optional(
    list(
      shape({
        id: text,
        title: text,
        state,
        needs: optional(list(text)),
        phase: optional(text),
        progress: optional(progress),
        started_at: optional(time),
        finished_at: optional(time),
        error: optional(failure),
      }),
    ),
  ),
  cancel: optional(shape({ by: text, at: time })),
  approval: optional(shape({ prompt: text, by: optional(text) })),
  queue: optional(shape({ position: number, behind: optional(text) })),
  expected: optional(shape({ p50_ms: number, p95_ms: number })),
  log: shape({ lines: number, bytes: number, truncated: optional(bool) }),
  created_at: time,
  started_at: optional(time),
  updated_at: time,
  finished_at: optional(time),
  host: optional(text),
  boot: optional(text),
});

/** Fields of the generated type that the parser forgot: the build fails when there are any. */
type Forgotten = Exclude<keyof Job, keyof ReturnType<typeof parsed>>;
export const parseJob: [Forgotten] extends [never] ? Parser<Job> : Forgotten = parsed;
