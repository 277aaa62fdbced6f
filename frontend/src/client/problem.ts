import type { ProblemBody } from '../contract/answers.ts';

/** Why a request got no good answer: for people one sentence and what to do, for code a word. */
export class Problem extends Error {
  override readonly name = 'Problem';
  /** Stable word of the server, or `unreachable` / `unreadable` / `aborted` from here. */
  readonly code: string;
  /** HTTP status; 0 when nothing was answered. */
  readonly status: number;
  readonly hint: string | undefined;
  /** What is wrong with which field of the request. */
  readonly fields: ReadonlyMap<string, string>;
  /** Milliseconds to wait before asking again, when the server said so. */
  readonly retryAfter: number | undefined;

  constructor(
    message: string,
    rest: {
      code: string;
      status?: number;
      hint?: string | undefined;
      body?: ProblemBody;
      retryAfter?: number | undefined;
    },
  ) {
    super(message);
    this.code = rest.code;
    this.status = rest.status ?? 0;
    this.hint = rest.hint;
    this.retryAfter = rest.retryAfter;
    this.fields = new Map((rest.body?.errors ?? []).map((e) => [e.field ?? '', e.message ?? '']));
  }

  /** Whether asking the same again may help. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }
}

/** The milliseconds a Retry-After header asks for: seconds or a date. */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
