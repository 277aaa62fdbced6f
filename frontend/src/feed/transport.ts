import type { Hello, Line } from '../contract/answers.ts';
import type { Job } from '../contract/job.ts';

/** What a transport tells. All calls come in the order of the feed. */
export interface Sink {
  /** Any sign of life. */
  heard(): void;
  /** The stream is live; everything asked for follows. */
  hello(hello: Hello): void;
  /** Forget what was known of the past: the present follows. */
  reset(): void;
  /** A job after a change, and the place in the feed after it ("" when it has none). */
  job(job: Job, place: string): void;
  log(job: string, lines: Line[]): void;
  /** The server's time. */
  time(at: string): void;
}

/** How a stream ended. `retry` (ms) is the least wait before the next one, `rest` (ms) before any request. */
export interface End {
  retry?: number;
  rest?: number;
}

/** What to hear, and from where on. */
export interface Wish {
  topics: readonly string[];
  /** The last place seen, "" for the present. */
  since: string;
}

/** A live way to hear the feed: server-sent events here, window events in the desktop app. */
export interface Stream {
  /** Replaces the topics; false when the stream is gone. */
  topics(topics: readonly string[]): Promise<boolean>;
  close(): void;
}

/** A transport opens streams and asks once. `ended` is called exactly once, unless the stream was closed from here. */
export interface Transport {
  stream(wish: Wish, sink: Sink, ended: (end: End) => void): Stream;
  /** One question: what changed since? Held by the server for up to `hold` ms. Resolves with the next place. */
  poll(wish: Wish, hold: number, sink: Sink, signal: AbortSignal): Promise<string>;
}

/** A poll that was refused. */
export class Refused extends Error {
  override readonly name = 'Refused';
  constructor(
    message: string,
    readonly end: End,
  ) {
    super(message);
  }
}

/** A sink that takes nothing once its stream was replaced: what is late is of an older time. */
export function whileCurrent(sink: Sink, current: () => boolean): Sink {
  const guarded = { ...sink };
  for (const key of Object.keys(sink) as (keyof Sink)[]) {
    const inner = sink[key] as (...args: unknown[]) => void;
    (guarded[key] as (...args: unknown[]) => void) = (...args) => {
      if (current()) inner(...args);
    };
  }
  return guarded;
}
