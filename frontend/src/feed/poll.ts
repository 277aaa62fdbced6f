import { retryAfter } from '../client/problem.ts';
import { parsePlace, parsePoll } from '../contract/answers.ts';
import { ShapeError } from '../contract/parse.ts';
import { Refused, type Sink, type Wish } from './transport.ts';

/**
 * Asks once what changed since a place in the feed; the server may hold the
 * answer until something does. One request covers every job of the page.
 * Throws Refused.
 */
export async function pollOnce(
  base: string,
  fetch: typeof globalThis.fetch,
  wish: Wish,
  hold: number,
  sink: Sink,
  signal: AbortSignal,
): Promise<string> {
  const url = new URL('events', base);
  if (wish.since) url.searchParams.set('since', wish.since);
  if (hold > 0) url.searchParams.set('wait', String(Math.round(hold / 1000)));
  let answer: Response;
  let body: unknown;
  try {
    answer = await fetch(url, { headers: { accept: 'application/json' }, cache: 'no-store', signal });
    body = await answer.json();
  } catch {
    throw new Refused('no answer', {});
  }
  if (!answer.ok) {
    const rest = retryAfter(answer.headers, Date.now());
    throw new Refused(`answered ${answer.status}`, rest === undefined ? {} : { rest });
  }
  try {
    const poll = parsePoll(body, 'poll');
    const feed = parsePlace(poll.head)?.feed ?? '';
    if (poll.reset) sink.reset();
    for (const e of poll.events) sink.job(e.job, `${feed}.${e.seq}`);
    return poll.head;
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new Refused(error.message, {});
  }
}
