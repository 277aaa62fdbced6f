import { createParser } from 'eventsource-parser';
import { retryAfter } from '../client/problem.ts';
import { parseEvent, parseHeartbeat, parseHello, parseLog } from '../contract/answers.ts';
import { ShapeError } from '../contract/parse.ts';
import type { End, Sink, Stream, Wish } from './transport.ts';

type Fetch = typeof globalThis.fetch;

/**
 * Server-sent events over fetch. Not over EventSource: that one gives up for
 * ever on any answer but 200, never tells which it was, cannot send the first
 * Last-Event-ID, and reconnects by its own rules.
 */
export function openSSE(
  base: string,
  fetch: Fetch,
  wish: Wish,
  sink: Sink,
  ended: (end: End) => void,
): Stream {
  const gone = new AbortController();
  let id = '';
  const end: End = {};

  const parser = createParser({
    onRetry: (ms) => {
      end.retry = ms;
    },
    onEvent: (e) => {
      try {
        const data: unknown = JSON.parse(e.data);
        if (e.event === 'hello') {
          const hello = parseHello(data, 'hello');
          id = hello.stream;
          sink.hello(hello);
        } else if (e.event === 'job') sink.job(parseEvent(data, 'job').job, e.id ?? '');
        else if (e.event === 'log') {
          const log = parseLog(data, 'log');
          sink.log(log.job, log.lines);
        } else if (e.event === 'heartbeat') sink.time(parseHeartbeat(data, 'heartbeat').at);
        else if (e.event === 'reset') sink.reset();
        // The wait that comes with a goodbye spreads the readers of a restarting server: it holds for every request.
        else if (e.event === 'bye') end.rest = end.retry ?? 0;
      } catch (error) {
        // One event nobody can read must not take the others with it.
        if (!(error instanceof ShapeError || error instanceof SyntaxError)) throw error;
        reportError(error);
      }
    },
  });

  async function run(): Promise<void> {
    const url = new URL('events', base);
    url.searchParams.set('topics', wish.topics.join(','));
    const headers: Record<string, string> = { accept: 'text/event-stream' };
    if (wish.since) headers['last-event-id'] = wish.since;
    const answer = await fetch(url, { headers, cache: 'no-store', signal: gone.signal });
    const wait = retryAfter(answer.headers, Date.now());
    if (wait !== undefined) end.rest = wait;
    const type = answer.headers.get('content-type')?.toLowerCase() ?? '';
    if (answer.status !== 200 || !type.startsWith('text/event-stream') || !answer.body) {
      void answer.body?.cancel();
      return;
    }
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (gone.signal.aborted) return;
      sink.heard();
      parser.feed(value);
    }
  }

  run()
    .catch(() => undefined) // a broken connection: the end is all there is to say
    .finally(() => {
      if (gone.signal.aborted) return;
      gone.abort();
      ended(end);
    });

  return {
    close: () => gone.abort(),
    async topics(topics) {
      if (!id) return false;
      const answer = await fetch(new URL(`events/${id}/topics`, base), {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ topics }),
        signal: gone.signal,
      });
      return answer.ok;
    },
  };
}
