import { html, LitElement, nothing, type PropertyValues, type TemplateResult, unsafeCSS } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { Problem } from '../client/problem.ts';
import { isFinal, type Job, type Step } from '../contract/job.ts';
import '../elements/log/define.ts';
import { ICON, TURNS } from '../elements/icons.ts';
import '../elements/status/define.ts';
import { derive } from '../elements/view.ts';
import type { Off } from '../feed/listeners.ts';
import { pageFeed } from '../feed/page.ts';
import { plural, TITLE, VIA } from '../i18n/en.ts';
import { duration, fullTime } from '../i18n/time.ts';
import css from './job.css?inline';
import { jobPath, navigate } from './router.ts';
import { pageStyles } from './styles.ts';

/** One job: its lamp, steps, parameters, who and why, and its log. */
@customElement('telltale-job')
export class JobPage extends LitElement {
  static override styles = [...pageStyles, unsafeCSS(css)];

  @property() job = '';
  @state() private status: Job | undefined;
  @state() private problem: Problem | undefined;
  #offs: Off[] = [];

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.#follow();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const off of this.#offs.splice(0)) off();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('job')) this.#follow();
  }

  #follow(): void {
    for (const off of this.#offs.splice(0)) off();
    this.status = undefined;
    this.problem = undefined;
    const feed = pageFeed();
    this.#offs.push(
      feed.watch(this.job, (job) => {
        this.status = job;
        this.problem = undefined;
        this.dispatchEvent(
          new CustomEvent('telltale-title', { detail: name(job), bubbles: true, composed: true }),
        );
      }),
      feed.watchLink(({ link }) => {
        if (this.problem && link === 'live') void this.#load();
      }),
    );
    if (!this.status) void this.#load();
  }

  async #load(): Promise<void> {
    const id = this.job;
    try {
      const job = await pageFeed().client.job(id);
      pageFeed().apply(job);
    } catch (e) {
      if (!(e instanceof Problem)) throw e;
      if (id === this.job && !this.status) this.problem = e;
    }
  }

  protected override render(): TemplateResult {
    const job = this.status;
    if (!job) return this.#absent();
    return html`
      <nav class="crumbs" aria-label="Breadcrumb"><a href="/history">History</a> <span aria-hidden="true">/</span> <a href="/history?action=${encodeURIComponent(job.action)}">${job.title}</a></nav>
      <div class="top"><h1 tabindex="-1">${name(job)}</h1></div>
      <telltale-status size="card" job=${job.id} name=${name(job)} @telltale-again=${this.#again}></telltale-status>
      <div class="columns ${job.steps?.length ? '' : 'stageless'}">
        ${this.#steps(job)}
        <section class="output"><div class="top2"><h2>Log</h2><span class="muted small num">${job.log.lines > 0 ? plural(job.log.lines, 'line') : ''}${job.log.truncated ? ', middle not kept' : ''}${
          job.log.lines > 0
            ? html` · <a href="/api/v1/jobs/${job.id}/log" @click=${this.#plain}>Plain text</a>`
            : nothing
        }</span></div>
          <telltale-log job=${job.id} label="Log of ${name(job)}"></telltale-log></section>
        <div class="facts">${this.#params(job)}${this.#trigger(job)}</div>
      </div>`;
  }

  #absent(): TemplateResult {
    const p = this.problem;
    if (!p)
      return html`<div class="top"><h1 tabindex="-1">Job</h1></div><div class="panel bones" aria-hidden="true"><div></div><div></div></div>`;
    if (p.status === 404 || p.status === 400) {
      return html`<div class="top"><h1 tabindex="-1">No such job</h1></div><div class="empty"><strong>This job is not in the history</strong><p>It may have been removed by the rules of retention, or the address is not quite right.</p><a class="button" href="/history">Go to history</a></div>`;
    }
    return html`<div class="top"><h1 tabindex="-1">Job</h1></div><div class="error" data-tone="danger"><strong>The job could not be loaded. ${p.message}</strong>${p.hint ? html`<p>${p.hint}</p>` : nothing}<button type="button" @click=${() => void this.#load()}>Try again</button></div>`;
  }

  #steps(job: Job): TemplateResult | typeof nothing {
    if (!job.steps?.length) return nothing;
    return html`<section class="stages"><h2>Steps</h2><ol class="steps">${job.steps.map((s) => this.#step(s, job))}</ol></section>`;
  }

  #step(s: Step, job: Job): TemplateResult {
    const view = derive({
      job: { ...job, state: s.state, ...(s.error ? { error: s.error } : {}) },
      now: pageFeed().clock.time(),
    });
    const took =
      s.started_at && s.finished_at && s.state !== 'skipped'
        ? duration(Date.parse(s.finished_at) - Date.parse(s.started_at))
        : '';
    return html`<li data-tone=${view.tone}><svg class=${TURNS.has(view.key) ? 'icon turns' : 'icon'} viewBox="0 0 16 16" aria-hidden="true">${ICON[view.key]}</svg>
      <span class="name">${s.title}</span><span class="word num">${took || TITLE[view.key].short}<span class="vh">${took ? `, ${TITLE[view.key].title}` : ''}</span></span>
      ${s.error ? html`<span class="more ${view.tone === 'warning' ? 'warn' : 'bad'}">${s.error.message}${s.error.hint ? ` ${s.error.hint}` : ''}</span>` : s.phase && !isFinal(s.state) ? html`<span class="more">${s.phase}</span>` : nothing}</li>`;
  }

  #params(job: Job): TemplateResult | typeof nothing {
    const params = Object.entries(job.params ?? {});
    if (params.length === 0 && !job.sealed) return nothing;
    return html`<section><h2>Parameters</h2><dl>${params.map(([k, v]) => html`<dt>${k}</dt><dd><code>${typeof v === 'string' ? v : JSON.stringify(v)}</code></dd>`)}${
      job.sealed
        ? html`<dt>Secret</dt><dd class="muted">Given, and not kept. Start the action again to give it anew.</dd>`
        : nothing
    }</dl></section>`;
  }

  #trigger(job: Job): TemplateResult {
    const t = job.trigger;
    const time = (at: string) => html`<time datetime=${at}>${fullTime(Date.parse(at))}</time>`;
    return html`<section><h2>Trigger</h2><dl>
      <dt>By</dt><dd>${t.by}</dd><dt>Through</dt><dd>${VIA[t.via]}</dd>
      ${t.reason ? html`<dt>Reason</dt><dd>${t.reason}</dd>` : nothing}
      ${t.retry_of ? html`<dt>Again</dt><dd><a href=${jobPath(t.retry_of)}>the job before</a></dd>` : nothing}
      <dt>At</dt><dd>${time(job.created_at)}</dd>
      ${job.cancel ? html`<dt>Cancel</dt><dd>asked by ${job.cancel.by}, ${time(job.cancel.at)}</dd>` : nothing}
      ${job.host ? html`<dt>Host</dt><dd>${job.host}</dd>` : nothing}
      <dt>Job</dt><dd><code>${job.id}</code></dd>
    </dl></section>`;
  }

  readonly #again = (e: CustomEvent<Job>): void => {
    e.preventDefault(); // this page is of one job: the new one has its own
    navigate(jobPath(e.detail.id));
  };

  /** A link cannot ask for text, so ask here and show what came. */
  readonly #plain = async (e: Event): Promise<void> => {
    e.preventDefault();
    const answer = await fetch((e.currentTarget as HTMLAnchorElement).href, {
      headers: { accept: 'text/plain' },
    });
    const url = URL.createObjectURL(new Blob([await answer.text()], { type: 'text/plain' }));
    const a = document.createElement('a');
    a.href = url;
    a.download = `${this.job}.log`;
    a.click();
    URL.revokeObjectURL(url);
  };
}

const name = (job: Job): string => (job.target ? `${job.title} ${job.target}` : job.title);
