import { html, LitElement, nothing, type PropertyValues, type TemplateResult, unsafeCSS } from 'lit';
import { property, state } from 'lit/decorators.js';
import type { Trigger } from '../../client/client.ts';
import { Problem } from '../../client/problem.ts';
import type { Action } from '../../contract/answers.ts';
import { isFinal, type Job } from '../../contract/job.ts';
import type { JobFeed } from '../../feed/feed.ts';
import { ago } from '../../i18n/time.ts';
import { announcer } from '../announcer.ts';
import { Canceler } from '../asker.ts';
import { Lamp } from '../lamp.ts';
import { bar, detailsOf } from '../pieces.ts';
import { base } from '../styles.ts';
import { amount, linkNote, words } from '../text.ts';
import { derive } from '../view.ts';
import '../status/define.ts';
import css from './action.css?inline';
import { fields, mustAsk, read, type Values } from './form.ts';
import { Starter } from './starter.ts';

/**
 * A button that starts an action, and the lamp of what came of it. The element
 * owns the button's busy state, asks for parameters in a small form, and shows
 * whoever's job runs for this action and target.
 *
 *     <telltale-action action="push" target="berlin"></telltale-action>
 *
 * @slot label - what stands before the lamp in the row layout
 * @slot aside - what stands between the lamp and the buttons in the row layout
 * @fires telltale-started - a trigger was accepted; detail is {job, joined}
 * @csspart base - the whole
 * @csspart button - the button
 */
export class TelltaleAction extends LitElement {
  static override styles = [...base, unsafeCSS(css)];

  /** The action's id in the catalog. */
  @property() action = '';
  /** The target's id, for an action that has targets. */
  @property() target = '';
  /** What the button says; the action's title unless given. */
  @property() label = '';
  @property({ reflect: true }) layout: 'inline' | 'row' = 'inline';
  /** Where a job's details are: an address with {id} in it. */
  @property() details = '';
  /** The action as the catalog tells it; fetched unless set. */
  @property({ attribute: false }) about: Action | undefined;

  @state() private pending = false;
  @state() private problem: Problem | undefined;
  @state() private asking = false;
  /** The live job of somebody else that a press came upon. */
  @state() private joined = '';
  #own = new Set<string>();
  #asked: string | undefined; // the action whose description was asked for
  #before: string | undefined; // the newest job when the button was pressed
  #focused: Element | null | undefined;
  readonly #lamp = new Lamp(this);
  readonly #canceler = new Canceler(this, () => this.#lamp.feed);
  readonly #starter = new Starter();

  /** The feed to follow; the page's own unless set. */
  get feed(): JobFeed {
    return this.#lamp.feed;
  }
  set feed(feed: JobFeed) {
    this.#lamp.feed = feed;
  }

  /** The job the lamp shows. */
  get job(): Job | undefined {
    return this.#lamp.job;
  }

  /** Presses the button: starts the action, or asks for what it needs first. */
  async press(): Promise<void> {
    if (this.#held) return;
    await this.#describe();
    if (mustAsk(this.about?.params ?? [])) await this.#ask();
    else await this.#start({});
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    this.#focused = this.shadowRoot?.activeElement;
    if (changed.has('action') || changed.has('target')) {
      this.#lamp.follow(this.action ? { action: this.action, target: this.target } : undefined);
      this.problem = undefined;
      this.joined = '';
      if (!this.about && this.action) void this.#describe();
    }
  }

  protected override updated(): void {
    const { view } = this.#shown;
    this.#lamp.tick(view.busy || view.key === 'lost' || (view.final && this.layout === 'row'));
    this.dataset.state = view.key;
    if (this.#focused && !this.#focused.isConnected)
      this.renderRoot.querySelector<HTMLElement>('.go')?.focus();
  }

  protected override render(): TemplateResult {
    const { job, view } = this.#shown;
    const label = this.label || this.about?.title || this.action;
    const params = this.about?.params ?? [];
    const held = this.#held;
    const suffix =
      this.target && !label.includes(this.target) ? html`<span class="vh"> ${this.target}</span>` : nothing;
    const buttons = html`<div class="buttons">
      ${view.canCancel && job ? html`<button type="button" class="plain stop" @click=${() => void this.#canceler.ask(job)}>Cancel<span class="vh"> ${this.#name}</span></button>` : nothing}
      <span class="split"><button type="button" class="go" part="button" aria-disabled=${held ? 'true' : nothing} @click=${() => void this.press()}>${this.pending ? 'Starting…' : label}${suffix}</button>${
        params.length > 0
          ? html`<button type="button" class="more square" aria-disabled=${held ? 'true' : nothing} aria-haspopup="dialog" @click=${this.#more}><span class="vh">Options for ${this.#name}</span><svg viewBox="0 0 16 16" aria-hidden="true"><path d="M2 5h6M12 5h2M2 11h2M8 11h6" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round"/><circle cx="10" cy="5" r="1.8" fill="none" stroke="currentColor" stroke-width="1.5"/><circle cx="6" cy="11" r="1.8" fill="none" stroke="currentColor" stroke-width="1.5"/></svg></button>`
          : nothing
      }</span>
    </div>`;
    const dialogs = html`${this.#form()}${this.#canceler.render(this.#name)}`;
    if (this.layout === 'inline') {
      return html`<div class="inline" part="base">${buttons}<div class="lamp">${this.#chip(job)}${this.#detail()}</div></div>${dialogs}`;
    }
    return html`<div class="row" part="base" role="group" aria-label=${this.#name} data-tone=${view.tone}>
      <div class="label"><slot name="label">${this.#name}</slot></div>
      <div class="lamp">${this.#chip(job)}${this.#detail()}</div>
      <div class="aside"><slot name="aside"></slot></div>
      ${buttons}${bar(view.bar, this.#name, job ? amount(job) : '', view.key === 'lost')}
    </div>${dialogs}`;
  }

  #chip(job: Job | undefined): TemplateResult {
    const chip = html`<telltale-status size="chip" name=${this.#name} .status=${job} .link=${this.#lamp.link} .feed=${this.feed}
      .pending=${this.pending ? 'start' : job && this.#canceler.pending === job.id ? 'cancel' : undefined} ?own=${this.pending || (!!job && this.#own.has(job.id))}></telltale-status>`;
    const details = job && !this.pending ? detailsOf(this.details, job.id) : undefined;
    if (!details) return chip;
    return html`<a href=${details}>${chip}<span class="vh"> ${this.#name}, details</span></a>`;
  }

  #detail(): TemplateResult | typeof nothing {
    const problem = (this.asking ? undefined : this.problem) ?? this.#canceler.problem;
    if (problem) {
      const what = this.problem ? 'Could not start.' : 'Could not cancel.';
      const hint = problem.fields.size === 0 ? problem.hint : '';
      const words = [what, problem.message, hint].filter(Boolean).join(' ');
      return html`<span class="detail bad" title=${words}>${words}</span>`;
    }
    const { job, view } = this.#shown;
    const note = linkNote(this.#lamp.link, view);
    const now = this.#lamp.now();
    if (job && this.joined === job.id && !isFinal(job.state)) {
      const words = `Already running, started by ${job.trigger.by} ${ago(Date.parse(job.created_at), now)}`;
      return html`<span class="detail" title=${words}>${words}</span>`;
    }
    const w = words({ view, job, name: this.#name, now, link: this.#lamp.link });
    if (this.layout === 'inline' && !w.detail.trim()) return nothing;
    return html`<span class="detail" title=${w.detail}>${note ? html`<span class="link">${note}</span> ` : nothing}${w.detail}</span>`;
  }

  #form(): TemplateResult | typeof nothing {
    if (!this.asking) return nothing;
    const params = this.about?.params ?? [];
    return html`<dialog class="form" aria-labelledby="form" @close=${this.#closed}>
      <h2 id="form">${this.#name}</h2>
      ${this.about?.description ? html`<p>${this.about.description}</p>` : nothing}
      ${
        this.problem
          ? html`<div class="error" data-tone="danger"><strong>${this.problem.message}</strong>${
              // Where the fields say what is wrong, a hint for programs would only confuse.
              this.problem.hint && this.problem.fields.size === 0
                ? html`<p>${this.problem.hint}</p>`
                : nothing
            }</div>`
          : nothing
      }
      <form class="fields" @submit=${this.#submit}>
        ${fields(params, this.problem?.fields ?? new Map())}
        <div class="choices"><button type="button" @click=${() => this.#dialog()?.close()}>Close</button><button class="primary" aria-disabled=${this.pending ? 'true' : nothing}>${this.pending ? 'Starting…' : 'Run'}</button></div>
      </form>
    </dialog>`;
  }

  /** Pressing now would do nothing: it is being started, or it runs and a second press would only join. */
  get #held(): boolean {
    const { job, view } = this.#shown;
    if (this.pending) return true;
    const again =
      this.about?.on_busy === 'queue' ||
      this.about?.on_busy === 'replace' ||
      this.about?.on_busy === 'parallel';
    return !!job && !isFinal(job.state) && view.key !== 'lost' && !again;
  }

  get #shown() {
    const job = this.#lamp.job;
    // Until the answer is there the lamp says so, whatever the last job was.
    const pending = this.pending && job?.id === this.#before ? ('start' as const) : undefined;
    const cancel = job && this.#canceler.pending === job.id ? ('cancel' as const) : undefined;
    return {
      job,
      view: derive({ job, link: this.#lamp.link, pending: pending ?? cancel, now: this.#lamp.now() }),
    };
  }

  get #name(): string {
    const title = this.about?.title ?? this.action;
    const target = this.#target;
    return target ? `${title} ${target}` : title;
  }

  get #target(): string {
    return this.about?.targets.find((t) => t.id === this.target)?.title || this.target;
  }

  /** Asks what the action is, unless the page said so. */
  async #describe(): Promise<void> {
    if (this.about?.id === this.action || this.#asked === this.action) return;
    this.#asked = this.action;
    try {
      this.about = (await this.feed.actions()).actions.find((a) => a.id === this.action);
    } catch (e) {
      if (!(e instanceof Problem)) throw e;
      this.#asked = undefined; // asked again with the next press
    }
  }

  readonly #more = (): void => {
    if (!this.#held) void this.#ask();
  };

  async #ask(): Promise<void> {
    this.problem = undefined;
    this.asking = true;
    await this.updateComplete;
    const dialog = this.#dialog();
    if (!dialog || dialog.open) return;
    dialog.showModal();
    announcer.inside(dialog);
    dialog.querySelector<HTMLElement>('input, select')?.focus();
  }

  #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog.form');
  }

  readonly #closed = (): void => {
    announcer.inside(undefined);
    this.asking = false;
  };

  readonly #submit = (e: SubmitEvent): void => {
    e.preventDefault();
    if (this.pending) return;
    void this.#start(read(e.target as HTMLFormElement, this.about?.params ?? []));
  };

  async #start(params: Values): Promise<void> {
    this.#before = this.#lamp.job?.id;
    this.pending = true;
    this.problem = undefined;
    this.joined = '';
    const trigger: Trigger = { action: this.action, target: this.target || undefined, params };
    try {
      const { job, joined } = await this.#starter.start(this.feed.client, trigger);
      if (joined) this.joined = job.id;
      else this.#own.add(job.id);
      this.feed.apply(job, { started: !joined });
      this.#dialog()?.close();
      if (joined) announcer.say(job.id, `${this.#name} is already running, started by ${job.trigger.by}.`);
      this.dispatchEvent(
        new CustomEvent('telltale-started', { detail: { job, joined }, bubbles: true, composed: true }),
      );
    } catch (e) {
      if (!(e instanceof Problem)) throw e;
      this.problem = e;
      announcer.say(this.#name, `Could not start ${this.#name}. ${e.message}`, 'assertive');
      if (e.fields.size > 0 && !this.asking) {
        await this.#ask();
        this.problem = e;
      }
    } finally {
      this.pending = false;
    }
  }
}
