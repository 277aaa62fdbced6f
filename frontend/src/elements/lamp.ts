import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { Job } from '../contract/job.ts';
import type { JobFeed, LinkState } from '../feed/feed.ts';
import type { Off } from '../feed/listeners.ts';
import { pageFeed } from '../feed/page.ts';
import { ticker } from './ticker.ts';

/** What a lamp follows: one job, or the newest of an action and target. */
export type Subject = { job: string } | { action: string; target: string } | undefined;

const seen = new Map<Element, (visible: boolean) => void>();
let observer: IntersectionObserver | undefined;

/**
 * Connects an element to the feed: the job it follows, the link, and a tick a
 * second while something moves. While the element is on screen and its job
 * runs, it asks for every step of the progress.
 */
export class Lamp implements ReactiveController {
  job: Job | undefined;
  link: LinkState | undefined;
  #feed: JobFeed | undefined;
  #subject: Subject;
  #key = '';
  #offs: Off[] = [];
  #near: { id: string; off: Off } | undefined;
  #connected = false;
  #visible = false;
  #ticking = false;

  constructor(private readonly host: ReactiveControllerHost & Element) {
    host.addController(this);
  }

  get feed(): JobFeed {
    this.#feed ??= pageFeed();
    return this.#feed;
  }

  set feed(feed: JobFeed) {
    if (feed === this.#feed) return;
    this.#feed = feed;
    if (this.#connected) this.#resubscribe();
  }

  /** The server's time. */
  now(): number {
    return this.feed.clock.time();
  }

  /** Follows something else from now on; the same again changes nothing. */
  follow(subject: Subject): void {
    const key = JSON.stringify(subject) ?? '';
    if (key === this.#key) return;
    this.#key = key;
    this.#subject = subject;
    this.job = undefined;
    if (this.#connected) this.#resubscribe();
  }

  /** Whether the element shows something that moves with time. */
  tick(wanted: boolean): void {
    const on = wanted && this.#connected;
    if (on === this.#ticking) return;
    this.#ticking = on;
    if (on) ticker.add(this.#tick);
    else ticker.delete(this.#tick);
  }

  hostConnected(): void {
    this.#connected = true;
    observer ??= new IntersectionObserver((entries) => {
      for (const e of entries) seen.get(e.target)?.(e.isIntersecting);
    });
    seen.set(this.host, (visible) => {
      this.#visible = visible;
      this.#approach();
    });
    observer.observe(this.host);
    this.#resubscribe();
  }

  hostDisconnected(): void {
    this.#connected = false;
    this.tick(false);
    observer?.unobserve(this.host);
    seen.delete(this.host);
    this.#unsubscribe();
  }

  readonly #tick = (): void => {
    if (!document.hidden) this.host.requestUpdate();
  };

  #resubscribe(): void {
    this.#unsubscribe();
    const subject = this.#subject;
    if (!subject) return;
    const heard = (job: Job) => {
      this.job = job;
      this.#approach();
      this.host.requestUpdate();
    };
    this.#offs.push(
      'job' in subject
        ? this.feed.watch(subject.job, heard)
        : this.feed.watchAction(subject.action, subject.target, heard),
      this.feed.watchLink((link) => {
        this.link = link;
        this.host.requestUpdate();
      }),
    );
  }

  #unsubscribe(): void {
    for (const off of this.#offs.splice(0)) off();
    this.#near?.off();
    this.#near = undefined;
  }

  #approach(): void {
    const id = this.#visible && this.job?.state === 'running' ? this.job.id : undefined;
    if (id === this.#near?.id) return;
    this.#near?.off();
    this.#near = id ? { id, off: this.feed.watch(id, () => undefined, { close: true }) } : undefined;
  }
}
