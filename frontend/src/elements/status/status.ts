import { html, LitElement, nothing, type PropertyValues, type TemplateResult, unsafeCSS } from 'lit';
import { property, state } from 'lit/decorators.js';
import { newKey } from '../../client/client.ts';
import { Problem } from '../../client/problem.ts';
import type { Job } from '../../contract/job.ts';
import type { JobFeed, LinkState } from '../../feed/feed.ts';
import { outcomeUnknown, plural } from '../../i18n/en.ts';
import { dayAndTime, fullTime, isoDuration } from '../../i18n/time.ts';
import { announcer } from '../announcer.ts';
import { Canceler } from '../asker.ts';
import { Lamp } from '../lamp.ts';
import { bar, detailsOf, icon } from '../pieces.ts';
import { base } from '../styles.ts';
import { amount, linkNote, type Words, words } from '../text.ts';
import { derive, type View } from '../view.ts';
import css from './status.css?inline';

export type Size = 'chip' | 'row' | 'card';

/**
 * The lamp of one job: its state, progress, time, error and what can be done,
 * live. What the link does is shown beside what the job does, never as it.
 *
 *     <telltale-status job="01939f6e-…" size="row"></telltale-status>
 *
 * @fires telltale-settled - the job reached its final state; detail is the job
 * @fires telltale-again - run again was accepted; detail is the new job. Unless
 *   prevented, the element follows it.
 * @csspart base - the chip, row or card
 * @csspart bar - the progress bar
 */
export class TelltaleStatus extends LitElement {
  static override styles = [...base, unsafeCSS(css)];

  /** The id of the job to follow. */
  @property() job = '';
  @property({ reflect: true }) size: Size = 'chip';
  /** What the job is called; its title and target unless given. */
  @property() name = '';
  /** Where details are: an address with {id} in it. */
  @property() details = '';
  /** `off` keeps the element silent for screen readers. */
  @property() announce: 'auto' | 'off' = 'auto';
  /** Started by this person on this page: failures are urgent. */
  @property({ type: Boolean }) own = false;
  /** Shows this instead of following `job`. */
  @property({ attribute: false }) status: Job | undefined;
  /** Shows this instead of the feed's link. */
  @property({ attribute: false }) link: LinkState | undefined;
  /** What the page asked for and has no answer to yet. */
  @property({ attribute: false }) pending: 'start' | 'cancel' | undefined;
  /** Fixes the server's clock, for pictures (ms). */
  @property({ attribute: false }) at: number | undefined;

  @state() private problem: Problem | undefined;
  @state() private again = false;
  #key = '';
  readonly #lamp = new Lamp(this);
  readonly #canceler = new Canceler(this, () => this.#lamp.feed);
  #shown: { key: View['key']; id: string } | undefined;
  #focused: Element | null | undefined;
  #percentSaid = { step: 0, at: 0 };

  /** The feed to follow; the page's own unless set. */
  get feed(): JobFeed {
    return this.#lamp.feed;
  }
  set feed(feed: JobFeed) {
    this.#lamp.feed = feed;
  }

  /** What is shown, derived from everything known. */
  get view(): View {
    return derive(this.#seen());
  }

  override connectedCallback(): void {
    super.connectedCallback();
    announcer.mount();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    this.#focused = this.shadowRoot?.activeElement;
    if (changed.has('job') || changed.has('status')) {
      this.#lamp.follow(this.status || !this.job ? undefined : { job: this.job });
    }
  }

  protected override updated(): void {
    const view = this.view;
    const moves = view.busy || view.key === 'lost' || (view.final && this.size !== 'chip');
    this.#lamp.tick(moves && this.at === undefined);
    this.dataset.state = view.key;
    // The pressed button went away: focus stays in the element, never on the body.
    if (this.#focused && !this.#focused.isConnected)
      this.renderRoot.querySelector<HTMLElement>('.title')?.focus();
    this.#speak(view);
  }

  protected override render(): TemplateResult {
    const view = this.view;
    const job = this.#job;
    const w = words({ ...this.#seen(), view, name: this.#name });
    const note = linkNote(this.#link, view);
    if (this.size === 'row') return this.#row(view, w, note, job);
    return this.size === 'card' ? this.#card(view, w, note, job) : this.#chip(view, w, note);
  }

  #chip(view: View, w: Words, note: string): TemplateResult {
    return html`<span class="chip" part="base" data-tone=${view.tone} title=${note || nothing}>${icon(view)}<span class="title">${w.title}</span>${
      view.busy && w.elapsed ? html`<span class="time num" aria-hidden="true">${w.elapsed}</span>` : nothing
    }${note ? html`<span class="vh">, ${note}</span>` : nothing}</span>`;
  }

  #row(view: View, w: Words, note: string, job: Job | undefined): TemplateResult {
    return html`<div class="row" part="base" role="group" data-tone=${view.tone} aria-label="${this.#name} status">
      ${icon(view)}
      <div class="main">
        <div class="line"><span class="name">${this.#name}</span><span class="title" tabindex="-1">${w.title}</span>${this.#time(view, w)}${this.#warnings(view, job)}${note ? html`<span class="note link">${note}</span>` : nothing}</div>
        ${w.detail ? html`<div class="detail" title=${w.detail}>${w.detail}</div>` : nothing}
        ${this.#trouble()}
      </div>
      ${this.#actions(view, job)}${bar(view.bar, this.#name, job ? amount(job) : '', view.key === 'lost')}
    </div>${this.#canceler.render(this.#name)}`;
  }

  #card(view: View, w: Words, note: string, job: Job | undefined): TemplateResult {
    const error = view.final ? job?.error : undefined;
    const hint = error?.hint ?? (view.key === 'interrupted' ? outcomeUnknown : undefined);
    const at = (time: string | undefined) =>
      time
        ? html`<time datetime=${time} title=${fullTime(Date.parse(time))}>${dayAndTime(Date.parse(time), this.#now())}</time>`
        : '–';
    return html`<div class="card" part="base" role="group" data-tone=${view.tone} aria-label="${this.#name} status">
      <div class="head">${icon(view)}
        <div class="main"><div class="name" part="name">${this.#name}</div><div class="title" tabindex="-1">${w.title}</div></div>
        ${this.#actions(view, job)}
      </div>
      ${bar(view.bar, this.#name, job ? amount(job) : '', view.key === 'lost')}
      ${note ? html`<p class="detail note link">${note}</p>` : nothing}
      ${
        error
          ? html`<div class="error"><strong>${error.message}</strong>${hint ? html`<p>${hint}</p>` : nothing}<code>${error.code}${error.exit_code === undefined ? '' : ` · exit ${error.exit_code}`}</code></div>`
          : w.detail
            ? html`<p class="detail">${w.detail}</p>`
            : nothing
      }
      ${this.#trouble()}
      ${
        job?.warnings?.length
          ? html`<div class="error" data-tone="warning"><strong>${plural(job.warning_count ?? job.warnings.length, 'warning')}</strong><ul class="list">${job.warnings
              .slice(0, 3)
              .map(
                (x) =>
                  html`<li>${x.message}${x.file ? html` <code>${x.file}${x.line ? `:${x.line}` : ''}</code>` : nothing}</li>`,
              )}</ul>${
              (job.warning_count ?? 0) > 3
                ? html`<p>and ${plural((job.warning_count ?? 0) - 3, 'more', 'more')}</p>`
                : nothing
            }</div>`
          : nothing
      }
      ${
        job
          ? html`<dl class="meta">
              <div><dt>${view.final ? 'Took' : 'Elapsed'}</dt><dd class="num">${w.elapsed || '–'}</dd></div>
              <div><dt>Queued</dt><dd>${at(job.created_at)}</dd></div>
              <div><dt>Started</dt><dd>${at(job.started_at)}</dd></div>
              ${view.final ? html`<div><dt>Finished</dt><dd>${at(job.finished_at)}</dd></div>` : nothing}
              ${job.attempts > 1 ? html`<div><dt>Attempt</dt><dd class="num">${job.attempt} of ${job.attempts}</dd></div>` : nothing}
              <div><dt>By</dt><dd>${job.trigger.by}</dd></div>
            </dl>`
          : nothing
      }
    </div>${this.#canceler.render(this.#name)}`;
  }

  #time(view: View, w: Words): TemplateResult | typeof nothing {
    if (view.elapsed === undefined) return nothing;
    return html`<span class="time num"><span class="vh">${view.final ? 'Took' : 'Elapsed'} </span><time datetime=${isoDuration(view.elapsed)}>${w.elapsed}</time></span>`;
  }

  #warnings(view: View, job: Job | undefined): TemplateResult | typeof nothing {
    if (!job?.warning_count || view.key === 'warning') return nothing;
    return html`<span class="note warnings">${plural(job.warning_count, 'warning')}</span>`;
  }

  #trouble(): TemplateResult | typeof nothing {
    const p = this.problem ?? this.#canceler.problem;
    if (!p) return nothing;
    return html`<div class="error" data-tone="danger"><strong>${this.problem ? 'Could not run it again.' : 'Could not cancel it.'} ${p.message}</strong>${p.hint ? html`<p>${p.hint}</p>` : nothing}</div>`;
  }

  #actions(view: View, job: Job | undefined): TemplateResult {
    const name = html`<span class="vh"> ${this.#name}</span>`;
    const details = job && detailsOf(this.details, job.id);
    return html`<div class="actions">${
      view.canCancel && job
        ? html`<button type="button" @click=${() => void this.#canceler.ask(job)}>Cancel${name}</button>`
        : nothing
    }${
      view.canRetry && job
        ? html`<button type="button" aria-disabled=${this.again ? 'true' : nothing} @click=${() => void this.#runAgain(job)}>${this.again ? 'Starting…' : 'Run again'}${name}</button>`
        : nothing
    }${
      view.key === 'lost'
        ? html`<button type="button" @click=${() => this.feed.kick()}>Reconnect${name}</button>`
        : nothing
    }${details ? html`<a class="button plain" href=${details}>Details${name}</a>` : nothing}</div>`;
  }

  get #job(): Job | undefined {
    return this.status ?? this.#lamp.job;
  }

  get #link(): LinkState | undefined {
    return this.link ?? this.#lamp.link;
  }

  get #name(): string {
    const job = this.#job;
    return this.name || (job ? (job.target ? `${job.title} ${job.target}` : job.title) : 'Job');
  }

  #now(): number {
    return this.at ?? this.#lamp.now();
  }

  #seen() {
    const job = this.#job;
    const pending =
      this.pending ?? (job && this.#canceler.pending === job.id ? ('cancel' as const) : undefined);
    return { job, link: this.#link, pending, now: this.#now(), local: this.at ?? Date.now() };
  }

  async #runAgain(job: Job): Promise<void> {
    if (this.again) return;
    this.again = true;
    this.problem = undefined;
    this.#key ||= newKey(); // kept over tries: whatever became of the first answer, it is one job
    try {
      const next = await this.feed.client.retry(job.id, this.#key);
      this.#key = '';
      this.feed.apply(next, { started: true });
      this.own = true;
      const go = this.dispatchEvent(
        new CustomEvent('telltale-again', { detail: next, bubbles: true, composed: true, cancelable: true }),
      );
      if (go && !this.status) this.job = next.id;
    } catch (e) {
      if (!(e instanceof Problem)) throw e;
      this.problem = e;
      if (!e.passing) this.#key = '';
      announcer.say(job.id, `${this.#name}: could not run again. ${e.message}`);
    } finally {
      this.again = false;
    }
  }

  #speak(view: View): void {
    const job = this.#job;
    const id = job?.id ?? '';
    const before = this.#shown;
    this.#shown = { key: view.key, id };
    // What was there when the page was opened, or when another job is shown, is not news.
    if (!before || (before.id !== id && before.key !== 'starting' && !this.own)) {
      this.#percentSaid = {
        step: view.bar?.kind === 'known' ? Math.floor(view.bar.percent / 25) : 0,
        at: Date.now(),
      };
      return;
    }
    if (before.key !== view.key) {
      if (view.final && job)
        this.dispatchEvent(
          new CustomEvent('telltale-settled', { detail: job, bubbles: true, composed: true }),
        );
      if (this.announce === 'off' || view.key === 'lost' || before.key === 'lost' || view.key === 'idle')
        return;
      if (!this.own && (view.key === 'starting' || view.key === 'queued')) return;
      const urgent = this.own && (view.key === 'failed' || view.key === 'timed_out');
      const text = words({ ...this.#seen(), view, name: this.#name }).say;
      announcer.say(
        id || this.#name,
        text,
        urgent ? 'assertive' : 'polite',
        view.final ? view.key.replace('_', ' ') : undefined,
      );
      return;
    }
    if (!this.own || this.announce === 'off' || view.key !== 'running' || view.bar?.kind !== 'known') return;
    const step = Math.floor(view.bar.percent / 25);
    if (step <= this.#percentSaid.step || step > 3 || Date.now() - this.#percentSaid.at < 10_000) return;
    this.#percentSaid = { step, at: Date.now() };
    announcer.say(id, words({ ...this.#seen(), view, name: this.#name }).say);
  }
}
