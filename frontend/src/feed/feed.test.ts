import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Client } from '../client/client.ts';
import { type Job, parseJob } from '../contract/job.ts';
import { JobFeed } from './feed.ts';

const fixture = (state: string): Job =>
  parseJob(
    JSON.parse(
      readFileSync(new URL(`../../../backend/job/testdata/status/${state}.json`, import.meta.url), 'utf8'),
    ),
    'job',
  );
const running = fixture('running');
const id = (n: number) => `01a20d6d-5a00-7000-9980-${String(n).padStart(12, '0')}`;
const job = (n: number, change: Partial<Job> = {}): Job => ({ ...running, id: id(n), ...change });

/** A server in memory that answers fetch, stream by stream. */
class Server {
  streams: { url: URL; last: string | null; send: (text: string) => void; end: () => void; dead: boolean }[] =
    [];
  requests: string[] = [];
  topics: string[][] = [];
  jobs = new Map<string, Job>();
  poll: () => unknown = () => ({ events: [], head: 'f.9', reset: false });
  up = true;

  fetch = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(String(input));
    const headers = new Headers(init.headers);
    const method = init.method ?? 'GET';
    this.requests.push(`${method} ${url.pathname}`);
    if (!this.up) throw new TypeError('refused');
    if (method === 'PUT') {
      this.topics.push((JSON.parse(String(init.body)) as { topics: string[] }).topics);
      return new Response(null, { status: 204 });
    }
    if (url.pathname.endsWith('/events') && headers.get('accept') === 'text/event-stream')
      return this.#stream(url, headers, init);
    if (url.pathname.endsWith('/events')) return Response.json(this.poll());
    const found = this.jobs.get(url.pathname.split('/').at(-1) ?? '');
    return found
      ? Response.json(found)
      : Response.json({ title: 'no', detail: 'No job.', status: 404, code: 'not_found' }, { status: 404 });
  };

  #stream(url: URL, headers: Headers, init: RequestInit): Response {
    const encoder = new TextEncoder();
    let control: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (c) => {
        control = c;
      },
    });
    const stream = {
      url,
      last: headers.get('last-event-id'),
      dead: false,
      send: (text: string) => {
        if (!stream.dead) control.enqueue(encoder.encode(text));
      },
      end: () => {
        if (!stream.dead) control.close();
        stream.dead = true;
      },
    };
    init.signal?.addEventListener('abort', () => {
      if (!stream.dead) control.error(new DOMException('aborted', 'AbortError'));
      stream.dead = true;
    });
    this.streams.push(stream);
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  }

  get live() {
    const stream = this.streams.at(-1);
    if (!stream) throw new Error('no stream was opened');
    return stream;
  }

  hello(more: object = {}, now = new Date().toISOString()): void {
    this.live.send(
      `event: hello\ndata: ${JSON.stringify({ stream: 's1', now, head: 'f.5', lost: false, ...more })}\n\n`,
    );
  }

  tell(seq: number, j: Job): void {
    this.live.send(`event: job\nid: f.${seq}\ndata: ${JSON.stringify({ seq, job: j })}\n\n`);
  }
}

let server: Server;
let feed: JobFeed;
const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-24T12:00:05Z') });
  vi.stubGlobal('reportError', vi.fn());
  server = new Server();
  feed = new JobFeed({
    client: new Client('http://t/api/v1/', server.fetch),
    fetch: server.fetch,
    random: () => 0.5,
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('the feed of a page', () => {
  it('opens one stream however many watch, and closes it when none does', async () => {
    const offs = [
      feed.watchAll(() => undefined),
      ...Array.from({ length: 50 }, () => feed.watch(id(1), () => undefined)),
    ];
    await settle();
    expect(server.streams).toHaveLength(1);
    for (const off of offs) {
      off();
      off(); // again does nothing
    }
    expect(feed.watchers).toBe(0);
    await settle(3_000);
    expect(server.live.dead).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('keeps the stream while pages come and go', async () => {
    feed.watchAll(() => undefined)();
    await settle(1_000);
    feed.watchAll(() => undefined);
    await settle(5_000);
    expect(server.streams).toHaveLength(1);
  });

  it('keeps the greatest rev, by whichever way and in whichever order it comes', async () => {
    const revs: number[] = [];
    server.jobs.set(id(1), job(1, { rev: 2 }));
    feed.watch(id(1), (j) => revs.push(j.rev));
    await settle();
    server.hello();
    for (const rev of [5, 3, 5, 4, 7]) server.tell(rev, job(1, { rev }));
    await settle();
    feed.apply(job(1, { rev: 6 }));
    expect(revs).toEqual([2, 5, 7]);
    expect(feed.get(id(1))?.rev).toBe(7);
  });

  it('shows the newest job of an action and target, also when an older one changes later', async () => {
    const seen: string[] = [];
    feed.watchAction('push', 'berlin', (j) => seen.push(`${j.id.slice(-1)}.${j.rev}`));
    await settle();
    server.hello();
    server.tell(1, job(1, { rev: 1 }));
    server.tell(2, job(2, { rev: 1 }));
    server.tell(3, job(1, { rev: 2 }));
    server.tell(4, job(3, { rev: 1, target: 'oslo' }));
    await settle();
    expect(seen).toEqual(['1.1', '2.1']);
  });

  it('does not let one bad event, or one bad listener, take the others with it', async () => {
    const seen: number[] = [];
    feed.watchAll(() => {
      throw new Error('mine');
    });
    feed.watchAll((j) => seen.push(j.rev));
    await settle();
    server.hello();
    server.live.send(
      'event: job\ndata: {"seq":1,"job":{"state":"exploded"}}\n\nevent: job\ndata: {broken\n\nevent: party\ndata: {}\n\n',
    );
    server.tell(2, job(1, { rev: 9 }));
    await settle();
    expect(seen).toEqual([9]);
    expect(feed.link.link).toBe('live');
  });

  it('resumes after the last place it saw', async () => {
    feed.watchAll(() => undefined);
    await settle();
    server.hello();
    server.tell(17, job(1));
    await settle();
    server.live.end();
    await settle(1_000);
    expect(server.streams).toHaveLength(2);
    expect(server.live.last).toBe('f.17');
    const gaps = vi.fn();
    feed.watchGap(gaps);
    server.hello({ resumed_from: 'f.17' });
    await settle(1_000);
    expect(gaps).not.toHaveBeenCalled();
    expect(feed.link.link).toBe('live');
  });

  it('says what may have been missed, and asks for watched jobs that nobody told of again', async () => {
    const seen: string[] = [];
    server.jobs.set(id(1), job(1, { rev: 3 }));
    feed.watch(id(1), (j) => seen.push(j.state));
    feed.watchAll(() => undefined);
    await settle();
    server.hello();
    server.tell(3, job(1, { rev: 3 }));
    await settle(1_000);
    server.live.end();
    await settle(1_000);
    const gaps = vi.fn();
    feed.watchGap(gaps);
    server.jobs.set(id(1), { ...fixture('interrupted'), id: id(1), rev: 9 });
    server.hello({ lost: true, head: 'g.2' });
    server.live.send('event: reset\ndata: {}\n\n');
    await settle(1_000);
    expect(gaps).toHaveBeenCalled();
    expect(seen.at(-1)).toBe('interrupted');
    expect(feed.covers('g.2')).toBe(true);
    expect(feed.covers('f.99')).toBe(false);
    server.live.end();
    await settle(1_000);
    expect(server.live.last).toBe('g.2');
  });

  it('knows which lists it covers', async () => {
    feed.watchAll(() => undefined);
    expect(feed.covers('f.5')).toBe(false);
    await settle();
    server.hello({ head: 'f.5' });
    await settle();
    expect(feed.covers('f.4')).toBe(false);
    expect(feed.covers('f.5')).toBe(true);
    expect(feed.covers('f.6')).toBe(true);
  });

  it('asks for every step of a job that is looked at, and tells the stream once for many', async () => {
    feed.watchAll(() => undefined);
    await settle();
    server.hello();
    await settle(100);
    const offs = [1, 2, 3].map((n) => feed.watch(id(n), () => undefined, { close: true }));
    feed.watchLog(id(2), () => undefined);
    await settle(100);
    expect(server.topics).toEqual([['jobs', `log:${id(2)}`, `job:${id(1)}`, `job:${id(2)}`, `job:${id(3)}`]]);
    for (const off of offs) off();
    await settle(100);
    expect(server.topics.at(-1)).toEqual(['jobs', `log:${id(2)}`]);
  });

  it('polls when the stream falls silent while a job runs, and comes back', async () => {
    const links: string[] = [];
    feed.watchLink((l) => links.push(l.link));
    feed.watchAll(() => undefined);
    await settle();
    server.hello();
    server.tell(6, job(1, { rev: 6 }));
    await settle();
    server.poll = () => ({
      events: [{ seq: 7, job: { ...fixture('succeeded'), id: id(1), rev: 7 } }],
      head: 'f.7',
      reset: false,
    });
    await settle(9_000); // not a byte
    expect(links.slice(0, 3)).toEqual(['connecting', 'live', 'reconnecting']);
    await settle(2_000);
    expect(links.at(-1)).toBe('polling');
    expect(feed.get(id(1))?.state).toBe('succeeded');
    await settle(3_000);
    server.hello({ resumed_from: 'f.7' });
    await settle();
    expect(links.at(-1)).toBe('live');
  });

  it('takes a silent stream for dead when a job started here is not told of', async () => {
    feed.watchAll(() => undefined);
    await settle();
    server.hello();
    await settle(10_000);
    expect(feed.link.link).toBe('live'); // nothing runs: silence is fine
    feed.apply(job(1, { state: 'queued', rev: 1 }), { started: true });
    await settle(8_500);
    expect(feed.link.link).not.toBe('live');
  });

  it('is offline when the server is gone, with at most one request a second, and right soon after it is back', async () => {
    feed.watchAll(() => undefined);
    await settle();
    server.hello();
    await settle(100);
    server.up = false;
    server.live.end();
    const before = server.requests.length;
    await settle(20_000);
    expect(feed.link.link).toBe('offline');
    expect(server.requests.length - before).toBeLessThanOrEqual(20);
    server.up = true;
    server.poll = () => ({
      events: [{ seq: 8, job: { ...fixture('interrupted'), id: id(1), rev: 7 } }],
      head: 'f.8',
      reset: false,
    });
    await settle(2_000);
    if (server.live.dead === false) server.hello({ resumed_from: 'f.5' });
    await settle(100);
    expect(['live', 'polling']).toContain(feed.link.link);
  });

  it('tells log lines to those who watch that log', async () => {
    const lines: number[] = [];
    feed.watchLog(id(1), (ls) => lines.push(...ls.map((l) => l.n)));
    await settle();
    server.hello();
    for (const [of, n] of [
      [1, 1],
      [2, 9],
      [1, 2],
    ] as const)
      server.live.send(
        `event: log\ndata: {"job":"${id(of)}","lines":[{"n":${n},"at":"2026-11-24T12:00:00Z","stream":"stdout","text":"x"}]}\n\n`,
      );
    await settle();
    expect(lines).toEqual([1, 2]);
  });

  it('goes by the clock of the server', async () => {
    feed.watchAll(() => undefined);
    await settle();
    server.hello({}, new Date(Date.now() + 180_000).toISOString());
    await settle();
    expect(feed.clock.time() - Date.now()).toBe(180_000);
    server.live.send(
      `event: heartbeat\ndata: ${JSON.stringify({ at: new Date(Date.now() + 179_000).toISOString() })}\n\n`,
    ); // late
    await settle(2_000);
    expect(feed.clock.time() - Date.now()).toBe(180_000);
  });

  it('reopens at once when the machine slept', async () => {
    feed.watchAll(() => undefined);
    await settle();
    server.hello();
    await settle();
    vi.setSystemTime(Date.now() + 3_600_000); // no timer ran
    feed.kick();
    await settle(1_000);
    expect(server.streams).toHaveLength(2);
  });
});
