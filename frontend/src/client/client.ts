import {
  type Actions,
  type LogPart,
  type Page,
  parseActions,
  parseLogPart,
  parsePage,
  parseProblem,
} from '../contract/answers.ts';
import { type Job, parseJob } from '../contract/job.ts';
import type { Parser } from '../contract/parse.ts';
import { Problem, retryAfter } from './problem.ts';

/** What starts a job. */
export interface Trigger {
  action: string;
  target?: string | undefined;
  params?: Record<string, unknown> | undefined;
}

/** A started job. `joined` is true when one was live already and this is it. */
export interface Started {
  job: Job;
  joined: boolean;
}

/** What to list; several values of one field are alternatives. */
export interface Query {
  action?: readonly string[];
  target?: readonly string[];
  state?: readonly string[];
  q?: string;
  after?: string;
  limit?: number;
}

/** Speaks to the server. Every method throws a Problem and nothing else. */
export class Client {
  constructor(
    /** Where the API is, ending in a slash: "https://host/api/v1/". */
    readonly base: string,
    private readonly fetch: typeof globalThis.fetch = (i, r) => globalThis.fetch(i, r),
  ) {}

  actions(): Promise<Actions> {
    return this.#ask('actions', parseActions);
  }

  job(id: string): Promise<Job> {
    return this.#ask(`jobs/${encodeURIComponent(id)}`, parseJob);
  }

  jobs(query: Query, signal?: AbortSignal): Promise<Page> {
    const p = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      for (const v of Array.isArray(value) ? value : [value])
        if (v !== undefined && v !== '') p.append(name, String(v));
    }
    return this.#ask(`jobs?${p}`, parsePage, signal ? { signal } : {});
  }

  log(id: string, from: number, limit: number, signal?: AbortSignal): Promise<LogPart> {
    return this.#ask(
      `jobs/${encodeURIComponent(id)}/log?from=${from}&limit=${limit}`,
      parseLogPart,
      signal ? { signal } : {},
    );
  }

  /** Starts a job. The same key again is the same job, whatever became of the first answer. */
  async start(trigger: Trigger, key: string): Promise<Started> {
    const body = {
      ...(trigger.target ? { target: trigger.target } : {}),
      params: trigger.params ?? {},
      via: 'button',
    };
    let status = 0;
    const job = await this.#ask(
      `actions/${encodeURIComponent(trigger.action)}/jobs`,
      parseJob,
      post(body, key),
      (s) => {
        status = s;
      },
    );
    return { job, joined: status === 200 };
  }

  cancel(id: string): Promise<Job> {
    return this.#ask(`jobs/${encodeURIComponent(id)}/cancel`, parseJob, post({}));
  }

  retry(id: string, key: string): Promise<Job> {
    return this.#ask(`jobs/${encodeURIComponent(id)}/retry`, parseJob, post({}, key));
  }

  async #ask<T>(
    path: string,
    parse: Parser<T>,
    init: RequestInit = {},
    seen?: (status: number) => void,
  ): Promise<T> {
    let answer: Response;
    let body: unknown;
    try {
      answer = await this.fetch(new URL(path, this.base), {
        cache: 'no-store',
        signal: AbortSignal.timeout(15_000),
        ...init,
        headers: { accept: 'application/json, application/problem+json', ...init.headers },
      });
      body = await answer.json().catch(() => undefined);
    } catch (e) {
      if (init.signal?.aborted) throw new Problem('The request was given up.', { code: 'aborted' });
      throw new Problem('The server cannot be reached.', {
        code: 'unreachable',
        hint:
          e instanceof DOMException && e.name === 'TimeoutError'
            ? 'It did not answer within 15 seconds.'
            : 'Check that Telltale is running and that you are connected.',
      });
    }
    seen?.(answer.status);
    if (!answer.ok) throw problem(answer, body);
    try {
      return parse(body, path);
    } catch (e) {
      throw new Problem('The server answered something this page cannot read.', {
        code: 'unreadable',
        status: answer.status,
        hint: e instanceof Error ? e.message : undefined,
      });
    }
  }
}

function post(body: unknown, key?: string): RequestInit {
  return {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...(key ? { 'idempotency-key': key } : {}) },
  };
}

function problem(answer: Response, body: unknown): Problem {
  const wait = retryAfter(answer.headers, Date.now());
  try {
    const p = parseProblem(body, 'problem');
    return new Problem(p.detail ?? p.title ?? `The server answered ${answer.status}.`, {
      code: p.code ?? 'unknown',
      status: answer.status,
      hint: p.hint,
      body: p,
      retryAfter: wait,
    });
  } catch {
    return new Problem(`The server answered ${answer.status}.`, {
      code: 'unknown',
      status: answer.status,
      hint: answer.status >= 502 ? 'Something between this page and Telltale is in the way.' : undefined,
      retryAfter: wait,
    });
  }
}

/** A fresh idempotency key. (`crypto.randomUUID` does not exist on plain http from another machine.) */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join(
    '',
  );
}
