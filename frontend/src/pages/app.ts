import { html, LitElement, nothing, type TemplateResult, unsafeCSS } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { announcer } from '../elements/announcer.ts';
import { ICON } from '../elements/icons.ts';
import parts from '../elements/parts.css?inline';
import { ticker } from '../elements/ticker.ts';
import { GRACE } from '../elements/view.ts';
import type { LinkState } from '../feed/feed.ts';
import type { Link } from '../feed/ladder.ts';
import type { Off } from '../feed/listeners.ts';
import { pageFeed } from '../feed/page.ts';
import { LINK, LINK_MEANS } from '../i18n/en.ts';
import { ago, timeOfDay } from '../i18n/time.ts';
import './actions.ts';
import css from './app.css?inline';
import './history.ts';
import './job.ts';
import './lost.ts';
import { favicon, type Mood, Moods } from './mood.ts';
import { onNavigate, type Route, routeOf } from './router.ts';

const LINK_TONE: Record<Link, string> = {
  connecting: 'neutral',
  live: 'success',
  reconnecting: 'warning',
  polling: 'warning',
  offline: 'lost',
};

/** Polling for longer than this is no passing thing (ms). */
const BLOCKED = 5_000;

const PAGE_TITLE: Record<Route['page'], string> = {
  actions: 'Actions',
  history: 'History',
  job: 'Job',
  lost: 'Not found',
};

/** The house around the pages: navigation, the state of the link, the tab's title and icon. */
@customElement('telltale-app')
export class App extends LitElement {
  static override styles = [unsafeCSS(parts), unsafeCSS(css)];

  @state() private route: Route = routeOf(new URL(location.href));
  @state() private link: LinkState = pageFeed().link;
  @state() private running = 0;
  @state() private mood: Mood = 'calm';
  @state() private subject = '';
  #moods = new Moods();
  #offs: Off[] = [];
  #saidLost = false;

  override connectedCallback(): void {
    super.connectedCallback();
    announcer.mount();
    const feed = pageFeed();
    const tick = () => this.#tick();
    ticker.add(tick);
    const look = () => {
      if (document.hidden) return;
      this.#moods.look();
      this.#weigh();
    };
    document.addEventListener('visibilitychange', look);
    this.#offs = [
      () => ticker.delete(tick),
      () => document.removeEventListener('visibilitychange', look),
      onNavigate((url, moved) => this.#go(url, moved)),
      feed.watchLink((link) => {
        this.link = link;
      }),
      feed.watchAll((job) => {
        this.#moods.heard(job, !document.hidden);
        this.#weigh();
      }),
    ];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const off of this.#offs.splice(0)) off();
  }

  protected override updated(): void {
    const what = this.subject || PAGE_TITLE[this.route.page];
    const lead = this.mood === 'failed' ? 'Failed · ' : this.running > 0 ? `(${this.running}) ` : '';
    document.title = `${lead}${what} · Telltale`;
    const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    const href = favicon(this.mood);
    if (icon && icon.href !== href) icon.href = href;
  }

  protected override render(): TemplateResult {
    const { page } = this.route;
    const here = (of: Route['page'][]) => (of.includes(page) ? 'page' : nothing);
    return html`<header class="nav">
        <a class="skip button" href="#main" @click=${this.#skip}>Skip to content</a>
        <a class="brand" href="/" data-mood=${this.mood}><svg viewBox="0 0 20 20" aria-hidden="true"><rect width="20" height="20" rx="5" fill="currentColor"/><circle cx="10" cy="10" r="5.5" fill="none" stroke="var(--_cut)" stroke-opacity=".45" stroke-width="1.6"/><circle cx="10" cy="10" r="2.6" fill="var(--_cut)"/></svg><span>Telltale</span></a>
        <nav aria-label="Main"><ul>
          <li><a href="/" aria-current=${here(['actions'])}>Actions</a></li>
          <li><a href="/history" aria-current=${here(['history', 'job'])}>History${this.running > 0 ? html`<span class="count num">${this.running}<span class="vh"> running</span></span>` : nothing}</a></li>
        </ul></nav>
        ${this.#linkState()}
      </header>
      <main id="main" tabindex="-1" @telltale-title=${(e: CustomEvent<string>) => {
        this.subject = e.detail;
      }}>${this.#banner()}<div class="page">${this.#page()}</div></main>`;
  }

  #page(): TemplateResult {
    switch (this.route.page) {
      case 'actions':
        return html`<telltale-actions></telltale-actions>`;
      case 'history':
        return html`<telltale-history .query=${this.route.query}></telltale-history>`;
      case 'job':
        return html`<telltale-job job=${this.route.id}></telltale-job>`;
      case 'lost':
        return html`<telltale-lost path=${this.route.path}></telltale-lost>`;
    }
  }

  #linkState(): TemplateResult {
    const { link, heardAt } = this.link;
    const heard = link !== 'live' && heardAt ? ` · heard ${ago(heardAt, Date.now())}` : '';
    return html`<div class="link" data-link=${link} data-tone=${LINK_TONE[link]} title=${LINK_MEANS[link]}><span class="dot"></span><span><span class="vh">Connection: </span>${LINK[link]}<span class="num">${heard}</span></span></div>`;
  }

  #banner(): TemplateResult | typeof nothing {
    const { link, since } = this.link;
    if (link === 'offline') {
      return html`<div class="banner" data-tone="lost"><svg class="icon" viewBox="0 0 16 16" aria-hidden="true">${ICON.lost}</svg><span><strong>Connection lost at ${timeOfDay(since)}.</strong> Jobs keep running on the server; what you see is what was last heard.</span><button type="button" @click=${() => pageFeed().kick()}>Retry now</button></div>`;
    }
    if (link === 'polling' && Date.now() - since >= BLOCKED) {
      return html`<div class="banner" data-tone="warning"><svg class="icon" viewBox="0 0 16 16" aria-hidden="true">${ICON.waiting}</svg><span><strong>The live stream is blocked.</strong> Updating every few seconds instead.</span></div>`;
    }
    return nothing;
  }

  #tick(): void {
    if (this.link.link !== 'live') this.requestUpdate();
    const gone = this.link.link === 'offline' || this.link.link === 'reconnecting';
    if (gone && !this.#saidLost && Date.now() - this.link.since >= GRACE) {
      this.#saidLost = true;
      announcer.say('link', 'Connection lost. Jobs may still be running. Reconnecting.');
    } else if (this.link.link === 'live' && this.#saidLost) {
      this.#saidLost = false;
      announcer.say('link', 'Connection restored.');
    }
  }

  #weigh(): void {
    this.running = this.#moods.running;
    this.mood = this.#moods.mood;
  }

  #go(url: URL, moved: boolean): void {
    const before = this.route;
    this.route = routeOf(url);
    if (!moved) return;
    const samePlace = before.page === this.route.page && this.route.page !== 'job';
    this.subject = '';
    if (samePlace) return;
    scrollTo(0, 0);
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>('main')?.focus());
  }

  readonly #skip = (e: Event): void => {
    e.preventDefault();
    this.renderRoot.querySelector<HTMLElement>('main')?.focus();
  };
}
