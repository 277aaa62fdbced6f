import { describe, expect, it } from 'vitest';
import * as ladder from './ladder.ts';
import { closed, due, type Effect, type Happening, type Ladder, type Link, step } from './ladder.ts';

/** What the way to the server does to a stream and to a short request. */
type Weather = 'clear' | 'refused' | 'swallowed' | 'buffered' | 'busy signal';

/** Mulberry32: the same walk for the same seed. */
function random(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A server and the way to it, in simulated time. */
class World {
  at = 0;
  s: Ladder = closed;
  weather: Weather = 'clear';
  /** How long a refusal takes. */
  latency = 2;
  requests: { at: number; what: 'stream' | 'poll' }[] = [];
  links: { at: number; link: Link }[] = [];
  /** When the page last got, or could have got, the truth. */
  rightAt = -1;
  #later: { at: number; run: () => void }[] = [];
  #stream = 0;
  #poll = 0;
  constructor(readonly chance: () => number = () => 0.5) {}

  happen(h: Happening): void {
    const before = this.s.link;
    const [next, effects] = step(this.s, h, this.at, this.chance());
    this.s = next;
    if (next.link !== before) this.links.push({ at: this.at, link: next.link });
    for (const e of effects) this.#do(e);
  }

  /** Runs until an instant. The server beats every 3 s on a live stream. */
  until(end: number): void {
    for (;;) {
      this.#later.sort((a, b) => a.at - b.at);
      const next = this.#later[0];
      const tick = due(this.s);
      if (Math.min(next?.at ?? Number.POSITIVE_INFINITY, tick) > end) break;
      if (next && next.at <= tick) {
        this.#later.shift();
        this.at = Math.max(this.at, next.at);
        next.run();
      } else {
        this.at = Math.max(this.at, tick);
        const was = this.s;
        this.happen({ type: 'tick' });
        if (this.s === was) throw new Error(`a tick at ${tick} that does nothing: ${JSON.stringify(was)}`);
      }
    }
    this.at = end;
  }

  cut(): void {
    if (this.s.stream === 'closed' || this.s.stream === 'off') return;
    this.#stream++;
    this.happen({ type: 'ended' });
  }

  #in(ms: number, run: () => void): void {
    this.#later.push({ at: this.at + ms, run });
  }

  #do(e: Effect): void {
    if (e.do === 'drop') this.#stream++;
    if (e.do === 'hush') this.#poll++;
    if (e.do === 'stream') {
      const mine = ++this.#stream;
      this.requests.push({ at: this.at, what: 'stream' });
      const weather = this.weather;
      const still = (run: () => void) => () => {
        if (mine === this.#stream) run();
      };
      if (weather === 'refused')
        this.#in(
          this.latency,
          still(() => this.happen({ type: 'ended' })),
        );
      if (weather === 'busy signal')
        this.#in(
          this.latency,
          still(() => this.happen({ type: 'ended', rest: 5_000 })),
        );
      if (weather === 'clear')
        this.#in(
          5,
          still(() => {
            this.happen({ type: 'hello' });
            this.rightAt = this.at;
            this.#beat(still);
          }),
        );
    }
    if (e.do === 'poll') {
      const mine = ++this.#poll;
      this.requests.push({ at: this.at, what: 'poll' });
      const still = (run: () => void) => () => {
        if (mine === this.#poll) run();
      };
      if (this.weather === 'refused')
        this.#in(
          this.latency,
          still(() => this.happen({ type: 'refused' })),
        );
      if (this.weather === 'busy signal')
        this.#in(
          this.latency,
          still(() => this.happen({ type: 'refused', rest: 5_000 })),
        );
      if (this.weather === 'clear' || this.weather === 'buffered')
        this.#in(
          5 + e.hold,
          still(() => {
            this.rightAt = this.at;
            this.happen({ type: 'answered' });
          }),
        );
    }
  }

  #beat(still: (run: () => void) => () => void): void {
    this.#in(
      3_000,
      still(() => {
        if (this.weather !== 'clear') return; // from now on silent
        this.happen({ type: 'heard' });
        this.rightAt = this.at;
        this.#beat(still);
      }),
    );
  }

  when(link: Link, from: number): number {
    const found = this.links.find((l) => l.link === link && l.at >= from);
    return found ? found.at : Number.POSITIVE_INFINITY;
  }
}

function live(chance?: () => number): World {
  const w = new World(chance);
  w.happen({ type: 'open' });
  w.until(20_000);
  expect(w.s.link).toBe('live');
  return w;
}

const seeds = Array.from({ length: 40 }, (_, i) => i + 1);

describe('the ladder', () => {
  it.each<[string, Partial<Ladder>, Happening, Partial<Ladder>, Effect['do'][]]>([
    [
      'opens the stream at once',
      { stream: 'closed' },
      { type: 'open' },
      { stream: 'opening', link: 'connecting' },
      ['stream'],
    ],
    [
      'is live only with hello',
      { stream: 'opening' },
      { type: 'heard' },
      { stream: 'opening', link: 'connecting' },
      [],
    ],
    [
      'is live with hello',
      { stream: 'opening' },
      { type: 'hello' },
      { stream: 'live', link: 'live', lostAt: undefined },
      [],
    ],
    [
      'hushes a poll when live',
      { stream: 'opening', poll: 'asking', link: 'polling' },
      { type: 'hello' },
      { poll: 'off', link: 'live' },
      ['hush'],
    ],
    [
      'says it when the stream ends',
      { stream: 'live', link: 'live' },
      { type: 'ended' },
      { stream: 'off', link: 'reconnecting', poll: 'due' },
      [],
    ],
    [
      'keeps polling when a probe fails',
      { stream: 'opening', link: 'polling', poll: 'asking' },
      { type: 'ended' },
      { stream: 'off', link: 'polling', poll: 'asking' },
      [],
    ],
    [
      'polls when polls answer',
      { stream: 'off', link: 'reconnecting', poll: 'asking' },
      { type: 'answered' },
      { link: 'polling', poll: 'due' },
      [],
    ],
    [
      'forgives one refused poll',
      { stream: 'off', link: 'polling', poll: 'asking' },
      { type: 'refused' },
      { link: 'polling', refusals: 1 },
      [],
    ],
    [
      'is offline after the second',
      { stream: 'off', link: 'polling', poll: 'asking', refusals: 1 },
      { type: 'refused' },
      { link: 'offline', refusals: 2 },
      [],
    ],
    [
      'lets everything go when closed',
      { stream: 'live', link: 'live' },
      { type: 'close' },
      { stream: 'closed', poll: 'off' },
      ['drop', 'hush'],
    ],
    [
      'hears nothing when closed',
      { stream: 'closed' },
      { type: 'hello' },
      { stream: 'closed', link: 'connecting' },
      [],
    ],
    [
      'ignores an answer nobody asked for',
      { stream: 'live', link: 'live' },
      { type: 'answered' },
      { link: 'live', poll: 'off' },
      [],
    ],
  ])('%s', (_, from, happening, to, effects) => {
    const s: Ladder = { ...closed, stream: 'off', askedAt: -60_000, ...from };
    const [next, done] = step(s, happening, 0, 0.5);
    expect(next).toMatchObject(to);
    expect(done.map((e) => e.do)).toEqual(effects);
  });

  it.each(seeds)('comes back within a second of a short cut (walk %i)', (seed) => {
    const w = live(random(seed));
    w.cut();
    w.until(w.at + ladder.SPACING + 10);
    expect(w.s.link).toBe('live');
    expect(w.requests).toHaveLength(2); // and nothing was polled meanwhile
  });

  it.each(seeds)(
    'says within 10 s that a running job is no longer heard, and polls within 3 s of that (walk %i)',
    (seed) => {
      const w = live(random(seed));
      w.happen({ type: 'busy', busy: true });
      w.until(w.at + 100);
      const from = w.at;
      w.weather = 'buffered'; // a proxy that passes short answers, but no stream
      w.until(from + 30_000);
      const said = Math.min(w.when('reconnecting', from), w.when('polling', from));
      expect(said - from).toBeLessThanOrEqual(10_000);
      expect(w.when('polling', from) - said).toBeLessThanOrEqual(3_000);
      expect(w.s.link).toBe('polling');
    },
  );

  it.each(seeds)(
    'is right within 1.1 s of the way being clear again, for outages of up to 10 s (walk %i)',
    (seed) => {
      for (const outage of ['refused', 'swallowed'] as const)
        for (const length of [300, 1_000, 4_000, 10_000]) {
          const w = live(random(seed + length));
          w.happen({ type: 'busy', busy: true });
          w.weather = outage;
          w.cut();
          w.until(w.at + length);
          w.weather = 'clear';
          const from = w.at;
          w.until(from + 1_100);
          expect(w.rightAt, `${outage} for ${length}`).toBeGreaterThanOrEqual(from);
        }
    },
  );

  it.each(seeds)('is offline when nothing answers, and says so within 6 s of a cut (walk %i)', (seed) => {
    const w = live(random(seed));
    w.latency = seed % 3;
    w.weather = 'refused';
    const from = w.at;
    w.cut();
    w.until(from + 60_000);
    expect(w.when('offline', from) - from).toBeLessThanOrEqual(6_000);
    expect(w.s.link).toBe('offline');
  });

  it.each(seeds)('asks ever more rarely, but is back within a tenth of the outage (walk %i)', (seed) => {
    const w = live(random(seed));
    w.weather = 'refused';
    const from = w.at;
    w.cut();
    w.until(from + 600_000);
    const late = w.requests.filter((r) => r.at > from + 500_000).length;
    const early = w.requests.filter((r) => r.at > from && r.at < from + 100_000).length;
    expect(late).toBeLessThan(early / 2);
    w.weather = 'clear';
    const back = w.at;
    w.until(back + ladder.CAP);
    expect(w.s.link).toBe('live');
    // Never a burst after it returns.
    const after = w.requests.filter((r) => r.at >= back && r.at < back + 3_000);
    expect(after.length).toBeLessThanOrEqual(3);
  });

  it('climbs back by itself when a proxy stops to buffer', () => {
    const w = live();
    w.happen({ type: 'busy', busy: true });
    w.weather = 'buffered';
    w.until(w.at + 60_000);
    expect(w.s.link).toBe('polling');
    w.weather = 'clear';
    w.until(w.at + 12_000);
    expect(w.s.link).toBe('live');
  });

  it('obeys Retry-After and the goodbye of a restarting server, for every kind of request', () => {
    const w = live();
    const from = w.at;
    w.happen({ type: 'ended', rest: 4_000 });
    w.until(from + 10_000);
    expect(w.requests.filter((r) => r.at > from)[0]?.at).toBeGreaterThanOrEqual(from + 4_000);
  });

  it('obeys retry: for the stream, and asks shortly meanwhile', () => {
    const w = live();
    const from = w.at;
    w.happen({ type: 'ended', retry: 3_000 });
    w.until(from + 10_000);
    const after = w.requests.filter((r) => r.at > from);
    expect(after.find((r) => r.what === 'stream')?.at).toBeGreaterThanOrEqual(from + 3_000);
    expect(after[0]).toMatchObject({ what: 'poll' });
    expect((after[0]?.at ?? 0) - from).toBeLessThanOrEqual(ladder.SPACING);
  });

  it.each(seeds)('keeps its promises on a random walk (%i)', (seed) => {
    const chance = random(seed);
    const w = new World(chance);
    const weathers: Weather[] = ['clear', 'refused', 'swallowed', 'buffered', 'busy signal'];
    w.happen({ type: 'open' });
    for (let i = 0; i < 300; i++) {
      const roll = chance();
      if (roll < 0.2) w.weather = weathers[Math.floor(chance() * weathers.length)] ?? 'clear';
      else if (roll < 0.3) w.cut();
      else if (roll < 0.4) w.happen({ type: 'busy', busy: chance() < 0.5 });
      else if (roll < 0.5) w.happen({ type: 'kick' });
      else if (roll < 0.53) {
        w.happen({ type: 'close' });
        expect(due(w.s)).toBe(Number.POSITIVE_INFINITY);
        w.happen({ type: 'open' });
      }
      w.until(w.at + chance() * 6_000);
      if (w.s.stream !== 'closed') expect(due(w.s)).toBeLessThan(Number.POSITIVE_INFINITY);
      if (w.s.stream === 'live') expect(w.s.link).toBe('live');
      if (w.s.link === 'live') expect(w.s).toMatchObject({ stream: 'live', poll: 'off', lostAt: undefined });
    }
    for (const [i, r] of w.requests.entries()) {
      const before = w.requests[i - 1];
      if (before) expect(r.at - before.at).toBeGreaterThanOrEqual(ladder.SPACING - 0.001);
    }
    // Whatever happened, a clear way ends live.
    w.weather = 'clear';
    w.until(w.at + ladder.CAP + ladder.HELLO + ladder.SILENCE_IDLE + 2_000);
    expect(w.s.link).toBe('live');
  });
});
