import { html, LitElement, nothing, type PropertyValues, type TemplateResult, unsafeCSS } from 'lit';
import { property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { Problem } from '../../client/problem.ts';
import type { Line } from '../../contract/answers.ts';
import { isFinal, type Job } from '../../contract/job.ts';
import type { JobFeed } from '../../feed/feed.ts';
import type { Off } from '../../feed/listeners.ts';
import { pageFeed } from '../../feed/page.ts';
import { plural } from '../../i18n/en.ts';
import { integer } from '../../i18n/time.ts';
import { base } from '../styles.ts';
import { plain, SHOWN, Tail } from './lines.ts';
import css from './log.css?inline';

const PART = 1_000;

/**
 * The log of a job, live. Follows its end until the reader scrolls up. It is
 * never read out by itself.
 *
 *     <telltale-log job="01939f6e-…"></telltale-log>
 *
 * @csspart body - the scrolling part
 */
export class TelltaleLog extends LitElement {
  static override styles = [...base, unsafeCSS(css)];

  @property() job = '';
  /** What the log is called for those who do not see it. */
  @property() label = 'Log';
  /** The feed to follow; the page's own unless set. */
  @property({ attribute: false }) feed: JobFeed | undefined;
  /** Shows these instead of following `job`. */
  @property({ attribute: false }) lines: readonly Line[] | undefined;

  @state() private follow = true;
  @state() private unseen = 0;
  @state() private ended = false;
  @state() private past = false; // had ended before it was looked at: the height may fit the lines
  @state() private state: 'loading' | 'ready' | 'failed' = 'loading';
  #tail = new Tail();
  #offs: Off[] = [];
  #reading: AbortController | undefined;
  #wanted = 0; // the server is known to have this many lines
  #frame = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (this.hasUpdated && (changed.has('job') || changed.has('feed'))) this.#start();
  }

  protected override updated(): void {
    const body = this.renderRoot.querySelector('.body');
    if (body && this.follow) body.scrollTop = body.scrollHeight;
  }

  protected override render(): TemplateResult {
    const lines = this.lines ?? this.#tail.lines;
    const first = lines[0]?.n ?? 1;
    return html`<div class=${this.past ? 'body past' : 'body'} part="body" role="log" aria-live="off" aria-label=${this.label} tabindex="0" @scroll=${this.#scrolled}>
      ${first > 1 ? html`<p class="empty">${this.#tail.dropped > 0 ? `${plural(this.#tail.dropped, 'line')} are no longer kept.` : `Showing the last ${integer(SHOWN)} lines.`}</p>` : nothing}
      ${lines.length === 0 ? html`<p class="empty">${this.#empty()}</p>` : nothing}
      ${repeat(
        lines,
        (l) => l.n,
        (l) =>
          html`<div class="line ${l.stream}"><span class="n" aria-hidden="true">${l.n}</span>${l.stream === 'stderr' ? html`<span class="vh">error: </span>` : nothing}<span class="text">${plain(l.text)}</span></div>`,
      )}
    </div>${
      this.follow
        ? nothing
        : html`<button type="button" class="latest num" @click=${this.#latest}>Jump to latest${this.unseen ? ` · ${this.unseen} new` : ''}</button>`
    }`;
  }

  #empty(): string {
    if (this.lines || this.state === 'ready') return this.ended ? 'It wrote no output.' : 'No output yet.';
    return this.state === 'loading'
      ? 'Loading…'
      : 'The log could not be read. It is tried again with the next change.';
  }

  #start(): void {
    this.#stop();
    this.follow = true;
    this.unseen = 0;
    this.ended = false;
    this.past = false;
    this.state = 'loading';
    this.#wanted = 0;
    if (!this.job || this.lines) return;
    const feed = this.feed ?? pageFeed();
    let tail: Tail | undefined;
    this.#offs.push(
      feed.watch(this.job, (job: Job) => {
        if (!tail) {
          // Only the end of a long log is shown: begin there.
          tail = new Tail(Math.max(1, job.log.lines - SHOWN + 1));
          this.#tail = tail;
          this.past = isFinal(job.state);
        }
        this.#wanted = job.log.lines;
        this.ended = isFinal(job.state);
        // Lines come by the stream while it lives; the job's count tells when some are missing.
        if (feed.link.link !== 'live' || this.state !== 'ready' || job.finished_at) void this.#read(feed);
      }),
      feed.watchLog(this.job, (lines) => {
        if (this.#reading) return; // the answer under way has them, or the next portion shows the gap
        const fresh = this.#tail.push(lines);
        if (fresh === undefined) void this.#read(feed);
        else this.#show(fresh);
      }),
    );
  }

  #stop(): void {
    for (const off of this.#offs.splice(0)) off();
    this.#reading?.abort();
    this.#reading = undefined;
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#tail = new Tail();
  }

  /** Reads on from where the tail ends until there is no more. */
  async #read(feed: JobFeed): Promise<void> {
    if (this.#reading) return;
    const reading = new AbortController();
    this.#reading = reading;
    try {
      for (;;) {
        const part = await feed.client.log(this.job, this.#tail.next, PART, reading.signal);
        if (reading.signal.aborted) return;
        const before = this.#tail.next;
        this.#show(this.#tail.fill(part.lines, part.next, part.dropped ?? 0));
        this.state = 'ready';
        if (this.#tail.next === before || (part.lines.length < PART && this.#tail.next > this.#wanted)) break;
      }
    } catch (e) {
      if (!(e instanceof Problem)) throw e;
      if (e.code !== 'aborted' && this.#tail.lines.length === 0) this.state = 'failed';
    } finally {
      if (this.#reading === reading) this.#reading = undefined;
    }
  }

  /** Many lines, one render a frame. */
  #show(fresh: number): void {
    if (fresh === 0) return;
    if (!this.follow) this.unseen += fresh;
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.requestUpdate();
    });
  }

  readonly #scrolled = (e: Event): void => {
    const body = e.target as HTMLElement;
    const atEnd = body.scrollHeight - body.scrollTop - body.clientHeight < 24;
    if (atEnd === this.follow) return;
    this.follow = atEnd;
    if (atEnd) this.unseen = 0;
  };

  readonly #latest = (): void => {
    this.follow = true;
    this.unseen = 0;
    this.renderRoot.querySelector<HTMLElement>('.body')?.focus();
  };
}
