import { parseJob } from './job.ts';
import { anything, bool, list, maybe, number, optional, shape, text, time, word } from './parse.ts';

// What the server answers besides a job. Each parser is also the type.

/** A place in the feed: "<feed>.<seq>". */
export interface Place {
  feed: string;
  seq: number;
}

/** Reads "<feed>.<seq>"; undefined when it is neither. */
export function parsePlace(cursor: string | undefined): Place | undefined {
  const found = cursor?.match(/^([a-z0-9]{1,32})\.(\d{1,16})$/);
  return found?.[1] && found[2] ? { feed: found[1], seq: Number(found[2]) } : undefined;
}

/** One line of a log. */
export const parseLine = shape({ n: number, at: time, stream: word('stdout', 'stderr', 'system'), text });
export type Line = ReturnType<typeof parseLine>;

export const parseLogPart = shape({ lines: list(parseLine), next: number, dropped: optional(number) });
export type LogPart = ReturnType<typeof parseLogPart>;

export const parseParam = shape({
  name: text,
  title: optional(text),
  description: optional(text),
  type: word('text', 'number', 'boolean', 'select', 'secret'),
  required: optional(bool),
  default: optional(anything),
  options: optional(list(text)),
  pattern: optional(text),
  min: optional(number),
  max: optional(number),
  integer: optional(bool),
});
export type Param = ReturnType<typeof parseParam>;

const parseTarget = shape({ id: text, title: optional(text), last: optional(parseJob) });

const parseRecent = shape({
  id: text,
  state: text,
  target: optional(text),
  duration_ms: optional(number),
  created_at: time,
});
/** How one of the last runs of an action ended. */
export type Recent = ReturnType<typeof parseRecent>;

export const parseAction = shape({
  id: text,
  title: text,
  description: optional(text),
  group: optional(text),
  kind: text,
  on_busy: optional(text),
  timeout_ms: optional(number),
  roles: optional(list(text)),
  targets: list(parseTarget),
  params: list(parseParam),
  last: optional(parseJob),
  recent: list(parseRecent),
});
export type Action = ReturnType<typeof parseAction>;

const parseTrouble = shape({
  file: text,
  faults: list(
    shape({ line: optional(number), column: optional(number), message: text, hint: optional(text) }),
  ),
});
export type Trouble = ReturnType<typeof parseTrouble>;

export const parseActions = shape({ actions: list(parseAction), trouble: maybe(parseTrouble), head: text });
export type Actions = ReturnType<typeof parseActions>;

export const parsePage = shape({ jobs: list(parseJob), next: optional(text), head: text });
export type Page = ReturnType<typeof parsePage>;

/** RFC 9457, with our code and hint. */
export const parseProblem = shape({
  title: optional(text),
  status: optional(number),
  detail: optional(text),
  code: optional(text),
  hint: optional(text),
  errors: optional(list(shape({ field: optional(text), message: optional(text) }))),
});
export type ProblemBody = ReturnType<typeof parseProblem>;

// What the feed says.

export const parseHello = shape({
  stream: text,
  now: time,
  head: optional(text),
  resumed_from: optional(text),
  lost: optional(bool),
});
export type Hello = ReturnType<typeof parseHello>;

export const parseEvent = shape({ seq: number, job: parseJob });
export const parseLog = shape({ job: text, lines: list(parseLine) });
export const parseHeartbeat = shape({ at: time });
export const parsePoll = shape({ events: list(parseEvent), head: text, reset: optional(bool) });
