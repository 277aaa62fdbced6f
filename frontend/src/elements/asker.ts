import {
  html,
  nothing,
  type ReactiveController,
  type ReactiveControllerHost,
  type TemplateResult,
} from 'lit';
import { Problem } from '../client/problem.ts';
import type { Job } from '../contract/job.ts';
import type { JobFeed } from '../feed/feed.ts';
import { announcer } from './announcer.ts';

type Host = ReactiveControllerHost & HTMLElement & { readonly renderRoot: HTMLElement | DocumentFragment };

/**
 * Cancels a job for an element: asks the person first, then the server, and
 * holds what became of it until the feed tells.
 */
export class Canceler implements ReactiveController {
  /** The job whose cancel was sent and is not yet seen in the feed. */
  pending: string | undefined;
  problem: Problem | undefined;
  #job: Job | undefined;

  constructor(
    private readonly host: Host,
    private readonly feed: () => JobFeed,
  ) {
    host.addController(this);
  }

  hostDisconnected(): void {
    announcer.inside(undefined);
  }

  /** Opens the question. Nothing happens until it is answered. */
  async ask(job: Job): Promise<void> {
    this.#job = job;
    this.problem = undefined;
    this.host.requestUpdate();
    await this.host.updateComplete;
    const dialog = this.#dialog();
    dialog?.showModal();
    if (dialog) announcer.inside(dialog);
  }

  /** The question, to be put into the host's template. */
  render(name: string): TemplateResult | typeof nothing {
    if (!this.#job) return nothing;
    return html`<dialog class="ask" aria-labelledby="ask" @close=${this.#closed} @click=${(e: Event) => e.stopPropagation()}>
      <h2 id="ask">Cancel ${name}?</h2>
      <p>It is asked to stop, then made to. What it did so far is not undone.</p>
      <form method="dialog" class="choices">
        <button value="keep" autofocus>Keep running</button>
        <button value="cancel" class="danger">Cancel job</button>
      </form>
    </dialog>`;
  }

  #dialog(): HTMLDialogElement | null {
    return this.host.renderRoot.querySelector<HTMLDialogElement>('dialog.ask');
  }

  readonly #closed = (e: Event): void => {
    const answer = (e.target as HTMLDialogElement).returnValue;
    const job = this.#job;
    this.#job = undefined;
    announcer.inside(undefined);
    this.host.requestUpdate();
    if (answer === 'cancel' && job) void this.#send(job);
  };

  async #send(job: Job): Promise<void> {
    this.pending = job.id;
    this.host.requestUpdate();
    try {
      this.feed().apply(await this.feed().client.cancel(job.id));
    } catch (e) {
      if (!(e instanceof Problem)) throw e;
      this.problem = e;
      announcer.say(job.id, `${job.title}: could not cancel. ${e.message}`);
    }
    this.pending = undefined;
    this.host.requestUpdate();
  }
}
