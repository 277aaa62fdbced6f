import { html, LitElement, nothing, type PropertyValues, type TemplateResult, unsafeCSS } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { Query } from '../client/client.ts';
import { Problem } from '../client/problem.ts';
import type { Action } from '../contract/answers.ts';
import { isFinal, type Job, STATES } from '../contract/job.ts';
import '../elements/status/define.ts';
import { ticker } from '../elements/ticker.ts';
import { elapsed } from '../elements/view.ts';
import type { LinkState } from '../feed/feed.ts';
import type { Off } from '../feed/listeners.ts';
import { pageFeed } from '../feed/page.ts';
import { plural, STATE, VIA } from '../i18n/en.ts';
import { ago, duration, fullTime, stopwatch } from '../i18n/time.ts';
import css from './history.css?inline';
import { jobPath, navigate } from './router.ts';
import { pageStyles } from './styles.ts';

const PAGE = 50;

/** The filters, as they stand in the address. */
interface Filters {
  q: string;
  action: string[];
  state: string[];
}

/** Every job that ever ran here, newest first, live. */
@customElement('telltale-history')
export class HistoryPage extends LitElement {
  static override styles = [...pageStyles, unsafeCSS(css)];

  @property({ attribute: false }) query = new URLSearchParams();
  @state() private rows: readonly Job[] | undefined;
  @state() private waiting: readonly Job[] = []; // new ones that must not push what a person points at
  @state() private next = '';
  @state() private busy = false;
  @state() private problem: Problem | undefined;
  @state() private actions: readonly Action[] = [];
  @state() private link: LinkState = pageFeed().link;
  #head = '';
  #offs: Off[] = [];
  #loading: AbortController | undefined;
  #typing: ReturnType<typeof setTimeout> | undefined;
  #held = false;
  #loaded = '';

  override connectedCallback(): void {
    super.connectedCallback();
    const feed = pageFeed();
    const tick = () => {
      if (!document.hidden) this.requestUpdate();
    };
    ticker.add(tick);
    this.#offs = [
      () => ticker.delete(tick),
      feed.watchAll((job) => this.#heard(job)),
      feed.watchLink((link) => {
        this.link = link;
        if (this.problem && link.link === 'live') void this.#load();
      }),
      feed.watchGap(() => {
        if (this.rows && !feed.covers(this.#head)) void this.#load();
      }),
    ];
    feed.actions().then(
      (a) => {
        this.actions = a.actions;
      },
      () => undefined, // the filter then has no names to offer; the list says what is wrong
    );
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const off of this.#offs.splice(0)) off();
    this.#loading?.abort();
    clearTimeout(this.#typing);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('query') && (this.#loaded !== this.query.toString() || !this.rows)) void this.#load();
  }

  get #filters(): Filters {
    return {
      q: this.query.get('q') ?? '',
      action: this.query.getAll('action'),
      state: this.query.getAll('state'),
    };
  }

  protected override render(): TemplateResult {
    const f = this.#filters;
    const filtered = f.q !== '' || f.action.length > 0 || f.state.length > 0;
    return html`<div class="top"><h1 tabindex="-1">History</h1></div>
      <form class="filters" role="search" aria-label="Filter jobs" @submit=${(e: Event) => e.preventDefault()}>
        <input type="search" aria-label="Find in titles, summaries and errors" placeholder="Find in titles, summaries, errors" .value=${f.q} @input=${this.#typed} />
        <select aria-label="Action" @change=${(e: Event) => this.#set('action', (e.target as HTMLSelectElement).value)}>
          <option value="">All actions</option>${this.actions.map((a) => html`<option value=${a.id} ?selected=${f.action.includes(a.id)}>${a.title}</option>`)}
        </select>
        <fieldset class="states"><legend class="vh">State</legend>${STATES.filter(
          (s) => s !== 'skipped' && s !== 'waiting',
        ).map(
          (s) =>
            html`<label><input type="checkbox" .checked=${f.state.includes(s)} @change=${(e: Event) => this.#toggle(s, (e.target as HTMLInputElement).checked)} />${STATE[s]}</label>`,
        )}</fieldset>
        ${filtered && this.rows?.length ? html`<button type="button" class="plain" @click=${() => navigate('/history', 'replace')}>Clear filters</button>` : nothing}
      </form>
      ${this.#failed()}${this.waiting.length > 0 ? html`<div class="new"><button type="button" @click=${this.#showNew}>${plural(this.waiting.length, 'new job')}</button></div>` : nothing}
      ${this.#table(filtered)}`;
  }

  #table(filtered: boolean): TemplateResult | typeof nothing {
    if (!this.rows)
      return this.problem
        ? nothing
        : html`<div class="panel bones" aria-hidden="true"><div></div><div></div><div></div><div></div></div>`;
    if (this.rows.length === 0) {
      return filtered
        ? html`<div class="empty"><strong>No jobs match these filters</strong><p>Jobs that match show up here as they run.</p><button type="button" @click=${() => navigate('/history', 'replace')}>Clear filters</button></div>`
        : html`<div class="empty"><strong>Nothing has run yet</strong><p>Start an action and you can follow it here, now and in years.</p><a class="button" href="/">Go to actions</a></div>`;
    }
    const now = pageFeed().clock.time();
    const stale = this.link.link === 'offline';
    return html`<div class="panel ${stale ? 'stale' : ''}" @pointerenter=${this.#hold} @pointerleave=${this.#release} @focusin=${this.#hold} @focusout=${this.#release}>
      <table aria-label="Jobs"><thead><tr><th class="status" scope="col">Status</th><th scope="col">Action</th><th class="started" scope="col">Started</th><th class="took" scope="col">Duration</th><th class="by" scope="col">By</th></tr></thead>
      <tbody>${repeat(
        this.rows,
        (j) => j.id,
        (j) => this.#row(j, now),
      )}</tbody></table>
      ${this.next ? html`<div class="older"><button type="button" aria-disabled=${this.busy ? 'true' : nothing} @click=${() => void this.#older()}>${this.busy ? 'Loading…' : 'Load older'}</button></div>` : nothing}
    </div>`;
  }

  #row(j: Job, now: number): TemplateResult {
    const at = Date.parse(j.created_at);
    const took = elapsed(j, now);
    const sum = j.error?.message || j.summary || (isFinal(j.state) ? '' : j.phase) || '';
    return html`<tr>
      <td class="status"><telltale-status size="chip" announce="off" .status=${j} .link=${this.link}></telltale-status></td>
      <td class="what"><a href=${jobPath(j.id)}>${j.title}${j.target ? html` <span class="target">${j.target}</span>` : nothing}</a>${sum ? html`<div class="sum" title=${sum}>${sum}</div>` : nothing}</td>
      <td class="started"><time datetime=${j.created_at} title=${fullTime(at)}>${ago(at, now)}</time></td>
      <td class="took num">${took === undefined ? '–' : isFinal(j.state) ? duration(took) : stopwatch(took)}</td>
      <td class="by" title=${VIA[j.trigger.via]}>${j.trigger.by}</td>
    </tr>`;
  }

  #failed(): TemplateResult | typeof nothing {
    const p = this.problem;
    if (!p || (this.rows && p.status === 0)) return nothing;
    return html`<div class="error" data-tone="danger"><strong>The jobs could not be loaded. ${p.message}</strong>${p.hint ? html`<p>${p.hint}</p>` : nothing}<button type="button" @click=${() => void this.#load()}>Try again</button></div>`;
  }

  #heard(job: Job): void {
    if (!this.rows) return;
    const at = this.rows.findIndex((j) => j.id === job.id);
    if (at >= 0) {
      if ((this.rows[at]?.rev ?? 0) < job.rev) this.rows = this.rows.with(at, job);
      return;
    }
    const waits = this.waiting.findIndex((j) => j.id === job.id);
    if (waits >= 0) {
      this.waiting = this.waiting.with(waits, job);
      return;
    }
    const oldest = this.rows.at(-1);
    if (!matches(job, this.#filters) || (oldest && this.next && job.id < oldest.id)) return;
    if (this.#held) this.waiting = [job, ...this.waiting];
    else this.rows = sorted([job, ...this.rows]);
  }

  readonly #showNew = (): void => {
    this.rows = sorted([...this.waiting, ...(this.rows ?? [])]);
    this.waiting = [];
  };

  readonly #hold = (): void => {
    this.#held = true;
  };

  readonly #release = (e: Event): void => {
    const panel = e.currentTarget as HTMLElement;
    this.#held = panel.matches(':hover') || panel.contains(this.shadowRoot?.activeElement ?? null);
  };

  readonly #typed = (e: Event): void => {
    const { value } = e.target as HTMLInputElement;
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#set('q', value.trim()), 250);
  };

  #toggle(s: string, on: boolean): void {
    const states = this.#filters.state.filter((x) => x !== s);
    this.#set('state', ...(on ? [...states, s] : states));
  }

  /** The address is the filter. */
  #set(name: string, ...values: string[]): void {
    const query = new URLSearchParams(this.query);
    query.delete(name);
    for (const v of values) if (v) query.append(name, v);
    navigate(`/history${query.size > 0 ? `?${query}` : ''}`, 'replace');
  }

  #asked(): Query {
    const { q, action, state } = this.#filters;
    return { q, action, state: state.filter((s) => (STATES as readonly string[]).includes(s)), limit: PAGE };
  }

  async #load(): Promise<void> {
    this.#loading?.abort();
    const loading = new AbortController();
    this.#loading = loading;
    this.#loaded = this.query.toString();
    try {
      const page = await pageFeed().client.jobs(this.#asked(), loading.signal);
      this.rows = page.jobs;
      this.next = page.next ?? '';
      this.waiting = [];
      this.#head = page.head;
      this.problem = undefined;
      for (const job of page.jobs) pageFeed().apply(job);
    } catch (e) {
      if (!(e instanceof Problem)) throw e;
      if (e.code !== 'aborted') this.problem = e;
    }
  }

  async #older(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      const page = await pageFeed().client.jobs({ ...this.#asked(), after: this.next });
      const have = new Set(this.rows?.map((j) => j.id));
      this.rows = [...(this.rows ?? []), ...page.jobs.filter((j) => !have.has(j.id))];
      this.next = page.next ?? '';
    } catch (e) {
      if (!(e instanceof Problem)) throw e;
      this.problem = e;
    } finally {
      this.busy = false;
    }
  }
}

const sorted = (jobs: Job[]): Job[] => jobs.sort((a, b) => (a.id < b.id ? 1 : -1)); // UUIDv7: by creation

function matches(job: Job, f: Filters): boolean {
  const text = [job.title, job.summary, job.phase, job.error?.message].join(' ').toLowerCase();
  return (
    (f.action.length === 0 || f.action.includes(job.action)) &&
    (f.state.length === 0 || f.state.includes(job.state)) &&
    (f.q === '' || text.includes(f.q.toLowerCase()))
  );
}
