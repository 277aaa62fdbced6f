/**
 * The server's clock, as far as it can be known from here. What the server
 * says is always a little late, never early, so the greatest difference heard
 * is the nearest to the truth. Elapsed time is never `Date.now() - started_at`:
 * clocks of desks are minutes off.
 */
export class ServerClock {
  #offset: number | undefined;
  #wall: number;
  #mono: number;

  constructor(
    private readonly now: () => number = () => Date.now(),
    private readonly ticks: () => number = () => performance.now(),
  ) {
    this.#wall = now();
    this.#mono = ticks();
  }

  /** Takes in that the server just said it is this time. */
  heard(serverTime: string): void {
    const at = Date.parse(serverTime);
    if (Number.isNaN(at)) return;
    const offset = at - this.#local();
    if (this.#offset === undefined || offset > this.#offset) this.#offset = offset;
  }

  /** The server's time in milliseconds since 1970; the local one until the server was heard. */
  time(): number {
    return this.#local() + (this.#offset ?? 0);
  }

  #local(): number {
    const mono = this.#wall + (this.ticks() - this.#mono);
    const wall = this.now();
    // Asleep, or the clock was set: what was learned no longer holds.
    if (Math.abs(wall - mono) > 2_000) {
      this.#wall = wall;
      this.#mono = this.ticks();
      this.#offset = undefined;
      return wall;
    }
    return mono;
  }
}
