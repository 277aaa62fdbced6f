import type { Line } from '../contract/answers.ts';
import type { Job } from '../contract/job.ts';
import { type Listener, type Off, once } from './listeners.ts';

/** The most topics a stream may have. */
const TOPICS = 200;

type Sets<T> = Map<string, Set<Listener<T>>>;

/** Who watches what, counted: the first opens the link, after the last it may close. */
export class Watchers {
  readonly jobs: Sets<Job> = new Map();
  readonly actions: Sets<Job> = new Map();
  readonly logs: Sets<Line[]> = new Map();
  readonly all: Sets<Job> = new Map(); // under the key ''
  readonly #close = new Map<string, number>(); // job → how many want its progress at full rate
  readonly #came: () => void;
  readonly #left: () => void;
  #count = 0;

  /** `came` is told of each watcher, `left` when the last one went. */
  constructor(came: () => void, left: () => void) {
    this.#came = came;
    this.#left = left;
  }

  get count(): number {
    return this.#count;
  }

  add<T>(sets: Sets<T>, key: string, listener: Listener<T>): Off {
    let set = sets.get(key);
    if (!set) {
      set = new Set();
      sets.set(key, set);
    }
    const mine = (value: T) => listener(value); // the same function may watch twice
    set.add(mine);
    this.#count++;
    this.#came();
    return once(() => {
      set.delete(mine);
      if (set.size === 0) sets.delete(key);
      if (--this.#count === 0) this.#left();
    });
  }

  /** One more, or one less, wants the progress of a job at full rate. */
  closer(id: string, by: 1 | -1): void {
    const n = (this.#close.get(id) ?? 0) + by;
    if (n > 0) this.#close.set(id, n);
    else this.#close.delete(id);
  }

  /** What the stream is to tell for all of them. */
  get topics(): string[] {
    const logs = [...this.logs.keys()].map((id) => `log:${id}`);
    const jobs = [...this.#close.keys()].map((id) => `job:${id}`);
    return ['jobs', ...logs, ...jobs].slice(0, TOPICS);
  }
}
