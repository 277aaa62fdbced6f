import type { Line } from '../../contract/answers.ts';

/** The most lines that are shown; the rest is in the full log. */
export const SHOWN = 2_000;

// CSI and OSC sequences, then what is left of other escapes and control characters but tab.
const ESCAPES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal sequences are what it is about
  /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b.?|[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** A line without what was meant for a terminal. */
export const plain = (text: string): string => text.replace(ESCAPES, '');

/**
 * The tail of a log, put together from what arrives by any way, in any
 * portions: lines that come twice are dropped, and a gap is known.
 */
export class Tail {
  lines: Line[] = [];
  /** Lines that are no longer kept by the server. */
  dropped = 0;
  #next: number;

  constructor(from = 1) {
    this.#next = from;
  }

  /** The number of the line wanted next. */
  get next(): number {
    return this.#next;
  }

  /** Takes in lines that follow on; returns how many were new, or undefined when some before them are missing. */
  push(lines: readonly Line[]): number | undefined {
    const fresh = lines.filter((l) => l.n >= this.#next);
    const first = fresh[0];
    if (!first) return 0;
    if (first.n > this.#next) return undefined;
    this.#add(fresh);
    return fresh.length;
  }

  /** Takes in an answer of the server: what it left out before `next` is not kept. */
  fill(lines: readonly Line[], next: number, dropped: number): number {
    const fresh = lines.filter((l) => l.n >= this.#next);
    this.#add(fresh);
    this.dropped += dropped;
    this.#next = Math.max(this.#next, next);
    return fresh.length;
  }

  #add(fresh: readonly Line[]): void {
    const last = fresh.at(-1);
    if (!last) return;
    this.lines = [...this.lines, ...fresh].slice(-SHOWN);
    this.#next = last.n + 1;
  }
}
