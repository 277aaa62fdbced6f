import type { Client, Started, Trigger } from '../../client/client.ts';
import { newKey } from '../../client/client.ts';
import { Problem } from '../../client/problem.ts';

/** How often a trigger is sent before a person is asked, and the waits between (ms). */
const WAITS = [500, 1_000, 2_000, 4_000];

/**
 * Sends a trigger until it is answered. The idempotency key belongs to what was
 * asked for, not to the request: sent again after a lost answer it names the
 * same job, so that a bad link cannot start anything twice.
 */
export class Starter {
  #key = '';
  #of = '';

  constructor(
    private readonly wait: (ms: number) => Promise<void> = (ms) =>
      new Promise((done) => setTimeout(done, ms)),
  ) {}

  /** Throws the Problem that stopped it; the same trigger again then keeps its key if it may have arrived. */
  async start(client: Client, trigger: Trigger): Promise<Started> {
    const of = JSON.stringify(trigger);
    if (!this.#key || of !== this.#of) this.#key = newKey();
    this.#of = of;
    for (let i = 0; ; i++) {
      try {
        const started = await client.start(trigger, this.#key);
        this.#key = '';
        // A second try that is answered 200 found our own first one.
        return i === 0 ? started : { ...started, joined: false };
      } catch (e) {
        if (!(e instanceof Problem)) throw e;
        if (!e.passing) this.#key = '';
        const wait = WAITS[i];
        if (!e.passing || wait === undefined || (e.retryAfter ?? 0) > 10_000) throw e;
        await this.wait(Math.max(wait, e.retryAfter ?? 0));
      }
    }
  }
}
