import { html, LitElement, nothing, type TemplateResult, unsafeCSS } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { Problem } from '../client/problem.ts';
import type { Action, Trouble } from '../contract/answers.ts';
import '../elements/action/define.ts';
import type { Off } from '../feed/listeners.ts';
import { pageFeed } from '../feed/page.ts';
import { plural } from '../i18n/en.ts';
import css from './actions.css?inline';
import { JOB_DETAILS } from './router.ts';
import { remember, strip } from './strip.ts';
import { pageStyles } from './styles.ts';

/** How often the catalog is looked at again while the page is seen: its file may have been edited. */
const LOOK = 20_000;

/** Home: every action, every target with its own lamp and button. */
@customElement('telltale-actions')
export class ActionsPage extends LitElement {
  static override styles = [...pageStyles, unsafeCSS(css)];

  @state() private actions: readonly Action[] | undefined;
  @state() private trouble: Trouble | undefined;
  @state() private problem: Problem | undefined;
  #head = '';
  #offs: Off[] = [];
  #loading = false;

  override connectedCallback(): void {
    super.connectedCallback();
    const feed = pageFeed();
    const timer = setInterval(() => {
      if (!document.hidden && feed.link.link === 'live') void this.#load();
    }, LOOK);
    this.#offs = [
      () => clearInterval(timer),
      feed.watchAll((job) => {
        this.actions = this.actions?.map((a) =>
          a.id === job.action ? { ...a, recent: remember(a.recent, job) } : a,
        );
      }),
      feed.watchGap(() => {
        if (!feed.covers(this.#head)) void this.#load();
      }),
      feed.watchLink(({ link }) => {
        if (this.problem && link === 'live') void this.#load();
      }),
    ];
    void this.#load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const off of this.#offs.splice(0)) off();
  }

  protected override render(): TemplateResult {
    return html`<div class="top"><h1 tabindex="-1">Actions</h1></div>${this.#faults()}${this.#failed()}${this.#list()}`;
  }

  #list(): TemplateResult | typeof nothing {
    if (!this.actions)
      return this.problem
        ? nothing
        : html`<div class="panel bones" aria-hidden="true"><div></div><div></div><div></div><div></div></div>`;
    if (this.actions.length === 0) {
      return html`<div class="empty"><strong>No actions yet</strong><p>Declare one in the catalog file and it shows up here, with its button and its lamp. <code>telltale init</code> writes a file to start from.</p></div>`;
    }
    const groups = new Map<string, Action[]>();
    for (const a of this.actions) groups.set(a.group ?? '', [...(groups.get(a.group ?? '') ?? []), a]);
    return html`<div class="groups">${repeat(
      groups,
      ([name]) => name,
      ([name, actions]) => html`<section>
        ${name ? html`<h2>${name}</h2>` : groups.size > 1 ? html`<h2>Other</h2>` : nothing}
        <div class="panel">${repeat(
          actions,
          (a) => a.id,
          (a) => (a.targets.length > 0 ? this.#many(a) : this.#one(a)),
        )}</div>
      </section>`,
    )}</div>`;
  }

  #one(a: Action): TemplateResult {
    return html`<telltale-action layout="row" action=${a.id} label=${short(a)} details=${JOB_DETAILS} .about=${a}>
      <div slot="label"><div class="title">${a.title}</div>${a.description ? html`<p class="about">${a.description}</p>` : nothing}</div>
      <div slot="aside" class="aside">${strip(a.recent)}</div>
    </telltale-action>`;
  }

  #many(a: Action): TemplateResult {
    return html`<div class="many">
      <div class="head"><div><div class="title">${a.title}</div>${a.description ? html`<p class="about">${a.description}</p>` : nothing}</div><div class="aside">${strip(a.recent)}</div><div class="pad"></div></div>
      ${repeat(
        a.targets,
        (t) => t.id,
        (
          t,
        ) => html`<telltale-action layout="row" action=${a.id} target=${t.id} label=${short(a)} details=${JOB_DETAILS} .about=${a}>
          <span slot="label" class="target">${t.title || t.id}</span><div slot="aside" class="aside"></div>
        </telltale-action>`,
      )}
    </div>`;
  }

  #faults(): TemplateResult | typeof nothing {
    const t = this.trouble;
    if (!t) return nothing;
    return html`<div class="error" data-tone="warning" role="status">
      <strong>The catalog file has ${plural(t.faults.length, 'fault')}. What was loaded before stays in use.</strong>
      <ul>${t.faults.slice(0, 5).map((f) => html`<li><code>${t.file}${f.line ? `:${f.line}${f.column ? `:${f.column}` : ''}` : ''}</code> ${f.message}${f.hint ? html` <span class="muted">${f.hint}</span>` : nothing}</li>`)}</ul>
      ${t.faults.length > 5 ? html`<p>and ${t.faults.length - 5} more. <code>telltale validate</code> lists them all.</p>` : nothing}
    </div>`;
  }

  #failed(): TemplateResult | typeof nothing {
    const p = this.problem;
    if (!p || (this.actions && p.status === 0)) return nothing; // the banner says that the server is away
    return html`<div class="error" data-tone="danger"><strong>The actions could not be loaded. ${p.message}</strong>${p.hint ? html`<p>${p.hint}</p>` : nothing}<button type="button" @click=${() => void this.#load()}>Try again</button></div>`;
  }

  async #load(): Promise<void> {
    if (this.#loading) return;
    this.#loading = true;
    try {
      const answer = await pageFeed().actions();
      this.actions = answer.actions;
      this.trouble = answer.trouble;
      this.#head = answer.head;
      this.problem = undefined;
    } catch (e) {
      if (!(e instanceof Problem)) throw e;
      this.problem = e;
    } finally {
      this.#loading = false;
    }
  }
}

/** What the button says where the title stands beside it anyway. */
function short(a: Action): string {
  return a.title.length <= 10 && !a.title.includes(' ') ? a.title : 'Run';
}
