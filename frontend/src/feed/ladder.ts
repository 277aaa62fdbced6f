/**
 * Which way to hear the feed, and when to ask again: a pure state machine.
 *
 * The top rung is the stream. It is held only while it proves itself: it must
 * say hello, and then something every few seconds while a job runs. When it
 * ends, is refused, or falls silent (a proxy that buffers says 200 and then
 * nothing), short requests answer instead, while the stream is probed; the
 * first hello climbs back. When these too get no answer, the link is offline.
 *
 * Three promises hold whatever happens, and a random walk checks them: two
 * requests never start within SPACING, nothing is asked before the server said
 * it may be (Retry-After, retry:), and something is always due while open.
 *
 * Times are milliseconds of one monotonic clock; chance is a number in [0, 1).
 */

/** How the page hears of changes. `connecting` is only before the first answer. */
export type Link = 'connecting' | 'live' | 'reconnecting' | 'polling' | 'offline';

/** No hello within this is a failure, however politely the stream was opened. */
export const HELLO = 8_000;
/** Silence of a live stream while a watched job runs (the server speaks every 3 s then). */
export const SILENCE_BUSY = 8_000;
/** Silence of a live stream while nothing runs (the server speaks every 15 s then). */
export const SILENCE_IDLE = 35_000;
/** Two requests never start closer together than this. */
export const SPACING = 1_000;
/** The least wait before the first retry of a stream that was cut. */
export const FLOOR = 250;
/** After a first cut the stream gets this long to come back before anything is polled. */
export const PATIENCE = 1_250;
/** No wait is longer, unless the server asks for it. */
export const CAP = 30_000;
/** For this long after a loss, requests that hang are given up early: the next one may be through. */
export const QUICK = 30_000;
export const QUICK_LIMIT = 2_000;
/** A poll without an answer by then has failed. */
export const POLL = 8_000;
/** How long the server may hold a poll, once polls are known to work. */
export const HOLD = 3_000;

export interface Ladder {
  readonly link: Link;
  readonly stream: 'closed' | 'off' | 'opening' | 'live';
  readonly poll: 'off' | 'due' | 'asking';
  /** When the stream is off: when to open it. Else: when its silence is too long. */
  readonly streamAt: number;
  /** When a poll is due; while asking, when to give it up. */
  readonly pollAt: number;
  /** When the last request started, and the last of each kind. */
  readonly askedAt: number;
  readonly streamAskedAt: number;
  readonly pollAskedAt: number;
  /** When the server was last heard, by whichever way. */
  readonly heardAt: number;
  /** Since when the stream is missing; undefined while it is live. */
  readonly lostAt: number | undefined;
  /** Nothing may be asked before (Retry-After, or a goodbye that spreads its readers). */
  readonly notBefore: number;
  /** The stream may not be opened before (retry:). */
  readonly streamNotBefore: number;
  /** Polls refused in a row. */
  readonly refusals: number;
  /** A watched job is running. */
  readonly busy: boolean;
}

export type Happening =
  | { type: 'open' }
  | { type: 'close' }
  /** The stream said hello. */
  | { type: 'hello' }
  /** Any byte of the stream. */
  | { type: 'heard' }
  | { type: 'busy'; busy: boolean }
  /** The stream ended or was refused. `retry` (ms) is for the stream, `rest` (ms) for every request. */
  | { type: 'ended'; retry?: number; rest?: number }
  /** A poll was answered. */
  | { type: 'answered' }
  /** A poll failed or was refused. */
  | { type: 'refused'; rest?: number }
  /** The network is back, or the page is seen again: ask now. */
  | { type: 'kick' }
  /** Time passed. */
  | { type: 'tick' };

export type Effect = { do: 'stream' } | { do: 'drop' } | { do: 'poll'; hold: number } | { do: 'hush' };

export type Step = readonly [Ladder, readonly Effect[]];

/** The ladder before anybody watches. */
export const closed: Ladder = {
  link: 'connecting',
  stream: 'closed',
  poll: 'off',
  streamAt: Number.POSITIVE_INFINITY,
  pollAt: Number.POSITIVE_INFINITY,
  askedAt: Number.NEGATIVE_INFINITY,
  streamAskedAt: Number.NEGATIVE_INFINITY,
  pollAskedAt: Number.NEGATIVE_INFINITY,
  heardAt: Number.NEGATIVE_INFINITY,
  lostAt: undefined,
  notBefore: 0,
  streamNotBefore: 0,
  refusals: 0,
  busy: false,
};

/** When the ladder wants its next tick; Infinity when nothing is due. */
export function due(s: Ladder): number {
  const gate = Math.max(s.askedAt + SPACING, s.notBefore);
  const stream =
    s.stream === 'off'
      ? Math.max(s.streamAt, gate)
      : s.stream === 'closed'
        ? Number.POSITIVE_INFINITY
        : s.streamAt;
  const poll =
    s.poll === 'due' ? Math.max(s.pollAt, gate) : s.poll === 'asking' ? s.pollAt : Number.POSITIVE_INFINITY;
  return Math.min(stream, poll);
}

/** What follows from a happening at an instant. */
export function step(s: Ladder, h: Happening, at: number, chance: number): Step {
  if (s.stream === 'closed' && h.type !== 'open')
    return h.type === 'busy' ? [{ ...s, busy: h.busy }, []] : [s, []];
  switch (h.type) {
    case 'open':
      if (s.stream !== 'closed') return [s, []];
      return tick(
        { ...closed, busy: s.busy, askedAt: s.askedAt, stream: 'off', streamAt: at, lostAt: at },
        at,
        chance,
      );
    case 'close':
      return [{ ...closed, busy: s.busy, askedAt: s.askedAt }, [{ do: 'drop' }, { do: 'hush' }]];
    case 'hello':
      if (s.stream !== 'opening') return [s, []];
      return [
        {
          ...s,
          link: 'live',
          stream: 'live',
          streamAt: at + silence(s.busy),
          heardAt: at,
          lostAt: undefined,
          poll: 'off',
          pollAt: Number.POSITIVE_INFINITY,
          notBefore: 0,
          streamNotBefore: 0,
          refusals: 0,
        },
        s.poll === 'asking' ? [{ do: 'hush' }] : [],
      ];
    case 'heard':
      if (s.stream !== 'live') return [s, []];
      return [{ ...s, heardAt: at, streamAt: at + silence(s.busy) }, []];
    case 'busy': {
      if (s.busy === h.busy) return [s, []];
      const next = { ...s, busy: h.busy };
      // The server was not asked to speak often before now: silence counts from here.
      if (s.stream === 'live') next.streamAt = (h.busy ? at : s.heardAt) + silence(h.busy);
      return [next, []];
    }
    case 'ended':
      if (s.stream !== 'opening' && s.stream !== 'live') return [s, []];
      return [fall(s, at, chance, { silent: false, retry: h.retry ?? 0, rest: h.rest ?? 0 }), []];
    case 'answered': {
      if (s.poll !== 'asking') return [s, []];
      const wasDown = s.link !== 'polling';
      return [
        {
          ...s,
          link: 'polling',
          poll: 'due',
          pollAt: at,
          heardAt: at,
          refusals: 0,
          // The server answers again: do not let a long wait for the stream stand.
          streamAt:
            wasDown && s.stream === 'off'
              ? Math.max(s.streamNotBefore, Math.min(s.streamAt, at + SPACING * chance))
              : s.streamAt,
        },
        [],
      ];
    }
    case 'refused': {
      if (s.poll !== 'asking') return [s, []];
      return [refuse(s, at, chance, { rest: h.rest ?? 0, hung: 0 }), []];
    }
    case 'kick':
      if (s.stream === 'live') return [s, []];
      return tick(
        {
          ...s,
          streamAt: s.stream === 'off' ? Math.max(at, s.streamNotBefore) : s.streamAt,
          pollAt: s.poll === 'due' ? at : s.pollAt,
        },
        at,
        chance,
      );
    case 'tick':
      return tick(s, at, chance);
  }
}

function tick(from: Ladder, at: number, chance: number): Step {
  let s = from;
  const effects: Effect[] = [];
  if ((s.stream === 'opening' || s.stream === 'live') && at >= s.streamAt) {
    s = fall(s, at, chance, { silent: true, retry: 0, rest: 0 });
    effects.push({ do: 'drop' });
  }
  if (s.poll === 'asking' && at >= s.pollAt) {
    s = refuse(s, at, chance, { rest: 0, hung: at - s.pollAskedAt });
    effects.push({ do: 'hush' });
  }
  if (at < Math.max(s.askedAt + SPACING, s.notBefore)) return [s, effects];
  const stream = s.stream === 'off' && at >= s.streamAt;
  const poll = s.poll === 'due' && at >= s.pollAt;
  // Whichever has been due longer: neither may keep the other from its turn.
  if (stream && !(poll && s.pollAt < s.streamAt)) {
    effects.push({ do: 'stream' });
    return [
      { ...s, stream: 'opening', streamAt: at + limit(s, at, HELLO), askedAt: at, streamAskedAt: at },
      effects,
    ];
  }
  if (poll) {
    const hold = s.link === 'polling' ? HOLD : 0;
    effects.push({ do: 'poll', hold });
    return [{ ...s, poll: 'asking', pollAt: at + limit(s, at, POLL), askedAt: at, pollAskedAt: at }, effects];
  }
  return [s, effects];
}

function fall(
  s: Ladder,
  at: number,
  chance: number,
  why: { silent: boolean; retry: number; rest: number },
): Ladder {
  const first = s.stream === 'live' || s.link === 'connecting';
  const lostAt = s.lostAt ?? at;
  // The first retry is quick: most cuts are a proxy or a server that restarts.
  const wait =
    first && !why.silent
      ? FLOOR + chance * (SPACING - FLOOR)
      : backoff(at - lostAt, chance, why.silent ? at - s.streamAskedAt : 0);
  const streamNotBefore = at + why.retry;
  const streamAt = Math.max(at + wait, streamNotBefore);
  let { poll, pollAt } = s;
  if (poll === 'off') {
    poll = 'due';
    if (why.silent || !first) pollAt = at;
    else pollAt = streamAt - at <= SPACING ? at + PATIENCE : at + wait;
  }
  return {
    ...s,
    link: s.link === 'polling' || s.link === 'offline' ? s.link : 'reconnecting',
    stream: 'off',
    streamAt,
    streamNotBefore,
    notBefore: Math.max(s.notBefore, at + why.rest),
    lostAt,
    poll,
    pollAt,
  };
}

function refuse(s: Ladder, at: number, chance: number, why: { rest: number; hung: number }): Ladder {
  const refusals = s.refusals + 1;
  return {
    ...s,
    poll: 'due',
    pollAt: at + backoff(at - (s.lostAt ?? at), chance, why.hung),
    notBefore: Math.max(s.notBefore, at + why.rest),
    refusals,
    link: refusals >= 2 ? 'offline' : s.link,
  };
}

/**
 * Full jitter under a ceiling that is a tenth of the outage so far: waits grow
 * by the same factor each time (exponential backoff), and coming back is never
 * noticed later than a tenth of how long it took. The time a request hung
 * counts as waiting.
 */
function backoff(outage: number, chance: number, hung: number): number {
  const ceiling = Math.min(CAP, Math.max(SPACING * 1.5, outage / 10));
  return Math.max(0, Math.max(SPACING, chance * ceiling) - hung);
}

const silence = (busy: boolean): number => (busy ? SILENCE_BUSY : SILENCE_IDLE);

/** Early in an outage a request that hangs is given up soon; where polls work, there is time. */
function limit(s: Ladder, at: number, patient: number): number {
  const down = s.link === 'reconnecting' || s.link === 'offline';
  return down && s.lostAt !== undefined && at - s.lostAt < QUICK ? QUICK_LIMIT : patient;
}
