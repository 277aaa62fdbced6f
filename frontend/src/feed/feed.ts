import type { Client } from '../client/client.ts';
import { Problem } from '../client/problem.ts';
import { type Actions, type Line, type Place, parsePlace } from '../contract/answers.ts';
import { isFinal, type Job } from '../contract/job.ts';
import { ServerClock } from './clock.ts';
import { Jobs } from './jobs.ts';
import { closed, due, type Effect, type Happening, type Ladder, type Link, step } from './ladder.ts';
import { type Listener, type Off, once, tell } from './listeners.ts';
import { pollOnce } from './poll.ts';
import { openSSE } from './sse.ts';
import { Refused, type Sink, type Stream, type Transport, type Wish, whileCurrent } from './transport.ts';
import { onWake } from './wake.ts';
import { Watchers } from './watchers.ts';

/** The link to the server, apart from any job. */
export interface LinkState {
  readonly link: Link;
  /** Since when it is what it is, by the wall clock of this machine (ms). */
  readonly since: number;
  /** When the server was last heard (ms, wall clock); undefined when never. */
  readonly heardAt: number | undefined;
}

export interface FeedOptions {
  client: Client;
  fetch?: typeof globalThis.fetch;
  transport?: Transport;
  random?: () => number;
}

/** How long the stream stays open after the last watcher left: pages come and go. */
const LINGER = 2_000;

/**
 * Hears of every job of one server, once per page, however many elements watch.
 * Keeps the greatest rev of each job, so that it does not matter by which way,
 * how often or in which order a change arrives.
 *
 * Watching is counted: the link is opened with the first watcher and closed
 * soon after the last. Every watch method returns the function that ends it.
 */
export class JobFeed {
  readonly client: Client;
  readonly clock = new ServerClock();

  #jobs = new Jobs((id) => this.#watchers.jobs.has(id));
  #watchers = new Watchers(
    () => this.#open(),
    () => {
      clearTimeout(this.#linger);
      this.#linger = setTimeout(() => this.#shut(), LINGER);
    },
  );
  #links = new Set<Listener<LinkState>>();
  #gaps = new Set<Listener<void>>();

  #ladder: Ladder = closed;
  #link: LinkState = { link: 'connecting', since: Date.now(), heardAt: undefined };
  #heardAt: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #linger: ReturnType<typeof setTimeout> | undefined;
  #stream: Stream | undefined;
  #told = ''; // the topics the stream knows
  #retopic: ReturnType<typeof setTimeout> | undefined;
  #asking: AbortController | undefined;
  #last = ''; // the last place seen in the feed
  #from: Place | undefined; // everything after this place was heard
  #unheard = new Map<string, ReturnType<typeof setTimeout>>(); // started from here, the link has not told of them yet
  #mend: ReturnType<typeof setTimeout> | undefined;
  #wake: Off | undefined;

  readonly #transport: Transport;
  readonly #random: () => number;

  constructor(options: FeedOptions) {
    this.client = options.client;
    this.#random = options.random ?? Math.random;
    const fetch = options.fetch ?? ((i, r) => globalThis.fetch(i, r));
    const { base } = options.client;
    this.#transport = options.transport ?? {
      stream: (wish, sink, ended) => openSSE(base, fetch, wish, sink, ended),
      poll: (wish, hold, sink, signal) => pollOnce(base, fetch, wish, hold, sink, signal),
    };
  }

  /** The newest known revision of a job. */
  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** The newest known job of an action and target. */
  newest(action: string, target = ''): Job | undefined {
    return this.#jobs.newest(`${action}/${target}`);
  }

  get link(): LinkState {
    return this.#link;
  }

  /** How many watchers there are. */
  get watchers(): number {
    return this.#watchers.count;
  }

  /**
   * Calls back with a job now, if it is known, and after each of its changes. A
   * job nobody has told of yet is fetched. `close` asks for every step of its
   * progress, not only one a second.
   */
  watch(id: string, listener: Listener<Job>, options: { close?: boolean } = {}): Off {
    const off = this.#watchers.add(this.#watchers.jobs, id, listener);
    if (options.close) this.#closer(id, 1);
    const known = this.#jobs.get(id);
    if (known) listener(known);
    else void this.#fetch(id);
    return once(() => {
      if (options.close) this.#closer(id, -1);
      off();
    });
  }

  /** Calls back with the newest job of an action and target, now if known, and with each change of it. */
  watchAction(action: string, target: string, listener: Listener<Job>): Off {
    const key = `${action}/${target}`;
    const off = this.#watchers.add(this.#watchers.actions, key, listener);
    const known = this.#jobs.newest(key);
    if (known) listener(known);
    return off;
  }

  /** Calls back with every change of every job. */
  watchAll(listener: Listener<Job>): Off {
    return this.#watchers.add(this.#watchers.all, '', listener);
  }

  /** Calls back with new lines of a job's log. Lines may come twice or be missing: count them by `n`. */
  watchLog(id: string, listener: Listener<Line[]>): Off {
    const off = this.#watchers.add(this.#watchers.logs, id, listener);
    this.#topics();
    return once(() => {
      off();
      this.#topics();
    });
  }

  /** Calls back with the state of the link now and whenever it changes. Does not open it. */
  watchLink(listener: Listener<LinkState>): Off {
    this.#links.add(listener);
    listener(this.#link);
    return once(() => this.#links.delete(listener));
  }

  /** Calls back when changes may have been missed: what was listed before must be read again. */
  watchGap(listener: Listener<void>): Off {
    this.#gaps.add(listener);
    return once(() => this.#gaps.delete(listener));
  }

  /** Whether every change after a place (the `head` of a list) was or will be told. */
  covers(head: string): boolean {
    const place = parsePlace(head);
    return !!place && !!this.#from && place.feed === this.#from.feed && place.seq >= this.#from.seq;
  }

  /**
   * Takes in a job from elsewhere: a list, the answer to a trigger. With
   * `started`, the link must tell of it soon too, or it is taken for silent.
   */
  apply(job: Job, how: { started?: boolean } = {}): void {
    if (how.started && !isFinal(job.state) && (this.#jobs.get(job.id)?.rev ?? 0) < job.rev) {
      clearTimeout(this.#unheard.get(job.id));
      this.#unheard.set(
        job.id,
        setTimeout(() => this.#heardOf(job.id), 15_000),
      );
    }
    this.#take(job);
  }

  /** Every action with its last jobs; these are taken in too. Throws a Problem. */
  async actions(): Promise<Actions> {
    const answer = await this.client.actions();
    for (const action of answer.actions) {
      for (const job of [action.last, ...action.targets.map((t) => t.last)]) if (job) this.#take(job);
    }
    return answer;
  }

  /** Asks again now: the network is back, or a person is impatient. */
  kick(): void {
    const deaf =
      this.#ladder.link === 'live' && this.#heardAt !== undefined && Date.now() - this.#heardAt > 20_000;
    if (deaf) {
      // The machine slept: the stream may be dead without anyone having been told.
      this.#stream?.close();
      this.#happen({ type: 'ended' });
    }
    this.#happen({ type: 'kick' });
  }

  // What was heard.

  #take(job: Job): void {
    const { news, leads } = this.#jobs.take(job);
    if (!news) return;
    tell(this.#watchers.jobs.get(job.id), job);
    if (leads) tell(this.#watchers.actions.get(Jobs.key(job)), job);
    tell(this.#watchers.all.get(''), job);
    this.#busy();
  }

  #sink(current: () => boolean): Sink {
    const sink: Sink = {
      heard: () => {
        this.#heardAt = Date.now();
        this.#happen({ type: 'heard' });
      },
      hello: (hello) => {
        this.clock.heard(hello.now);
        this.#happen({ type: 'hello' });
        this.#topics();
        if (!hello.lost && hello.resumed_from) return;
        this.#last = hello.head ?? '';
        this.#gap(parsePlace(hello.head));
      },
      reset: () => this.#gap(this.#from),
      job: (job, place) => {
        if (place) this.#last = place;
        this.#heardOf(job.id);
        this.#take(job);
      },
      log: (job, lines) => tell(this.#watchers.logs.get(job), lines),
      time: (at) => this.clock.heard(at),
    };
    return whileCurrent(sink, current);
  }

  #heardOf(id: string): void {
    const timer = this.#unheard.get(id);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#unheard.delete(id);
    this.#busy();
  }

  /** Continuity begins anew at a place: say so, and look after jobs whose end may have been missed. */
  #gap(from: Place | undefined): void {
    this.#from = from;
    tell(this.#gaps, undefined);
    const doubtful = new Map([...this.#watchers.jobs.keys()].map((id) => [id, this.#jobs.get(id)?.rev]));
    clearTimeout(this.#mend);
    // Not at once: the snapshot that follows answers most of it, and many pages may be coming back.
    this.#mend = setTimeout(() => void this.#repair(doubtful), 200 + this.#random() * 500);
  }

  async #repair(doubtful: ReadonlyMap<string, number | undefined>): Promise<void> {
    for (const [id, rev] of doubtful) {
      const job = this.#jobs.get(id);
      if (!this.#watchers.jobs.has(id) || (job && (isFinal(job.state) || job.rev !== rev))) continue;
      await this.#fetch(id); // one after the other: never a burst
    }
  }

  async #fetch(id: string): Promise<void> {
    try {
      this.#take(await this.client.job(id));
    } catch (e) {
      if (!(e instanceof Problem)) throw e;
    }
  }

  #busy(): void {
    const busy = this.#unheard.size > 0 || this.#jobs.running;
    if (busy !== this.#ladder.busy) this.#happen({ type: 'busy', busy });
  }

  // The link, as long as somebody watches.

  #open(): void {
    clearTimeout(this.#linger);
    if (this.#ladder.stream !== 'closed') return;
    this.#wake?.();
    this.#wake = onWake({
      kick: () => this.kick(),
      hide: () => this.#happen({ type: 'close' }),
      show: () => this.#happen({ type: 'open' }),
    });
    this.#happen({ type: 'open' });
  }

  #shut(): void {
    this.#wake?.();
    this.#wake = undefined;
    for (const id of [...this.#unheard.keys()]) this.#heardOf(id);
    clearTimeout(this.#mend);
    clearTimeout(this.#retopic);
    this.#happen({ type: 'close' });
  }

  #closer(id: string, by: 1 | -1): void {
    this.#watchers.closer(id, by);
    this.#topics();
  }

  /** Tells the stream what is wanted now; gathered, because elements come and go in groups. */
  #topics(): void {
    clearTimeout(this.#retopic);
    this.#retopic = setTimeout(() => {
      const stream = this.#stream;
      const wanted = this.#watchers.topics;
      const told = wanted.join();
      if (!stream || this.#ladder.stream !== 'live' || told === this.#told) return;
      this.#told = told;
      stream
        .topics(wanted)
        .catch(() => true) // no answer says nothing about the stream: its own silence decides
        .then((known) => {
          if (known || this.#stream !== stream) return;
          stream.close();
          this.#happen({ type: 'ended' });
        });
    }, 50);
  }

  // The ladder.

  #happen(h: Happening): void {
    const [next, effects] = step(this.#ladder, h, performance.now(), this.#random());
    this.#ladder = next;
    for (const effect of effects) this.#do(effect);
    this.#arm();
    const before = this.#link;
    if (next.link === before.link) {
      if (this.#heardAt !== before.heardAt) this.#link = { ...before, heardAt: this.#heardAt };
      return;
    }
    this.#link = { link: next.link, since: Date.now(), heardAt: this.#heardAt };
    tell(this.#links, this.#link);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const at = due(this.#ladder);
    if (at === Number.POSITIVE_INFINITY) return;
    // A timer may fire a little early: look again rather than miss.
    this.#timer = setTimeout(
      () => this.#happen({ type: 'tick' }),
      Math.max(0, Math.ceil(at - performance.now())),
    );
  }

  #do(effect: Effect): void {
    switch (effect.do) {
      case 'stream': {
        const wish: Wish = { topics: this.#watchers.topics, since: this.#last };
        this.#told = wish.topics.join();
        let stream: Stream | undefined;
        const current = () => this.#stream === stream;
        stream = this.#transport.stream(wish, this.#sink(current), (end) => {
          if (current()) this.#happen({ type: 'ended', ...end });
        });
        this.#stream = stream;
        return;
      }
      case 'drop':
        this.#stream?.close();
        this.#stream = undefined;
        return;
      case 'hush':
        this.#asking?.abort();
        this.#asking = undefined;
        return;
      case 'poll': {
        const asking = new AbortController();
        this.#asking = asking;
        const current = () => this.#asking === asking;
        const wish: Wish = { topics: this.#watchers.topics, since: this.#last };
        this.#transport.poll(wish, effect.hold, this.#sink(current), asking.signal).then(
          (head) => {
            if (!current()) return;
            this.#heardAt = Date.now();
            if (!this.#from || parsePlace(head)?.feed !== this.#from.feed) this.#gap(parsePlace(head));
            this.#last = head;
            this.#happen({ type: 'answered' });
          },
          (error: unknown) => {
            if (!current()) return;
            if (!(error instanceof Refused)) reportError(error);
            this.#happen({ type: 'refused', ...(error instanceof Refused ? error.end : {}) });
          },
        );
        return;
      }
    }
  }
}
