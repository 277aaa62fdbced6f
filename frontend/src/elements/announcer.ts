/**
 * Speaks for all elements of a page. Two live regions in the light DOM, made
 * before they are needed and filled later, because regions in shadow roots or
 * filled at birth are not read, and several compete.
 */

export type Politeness = 'polite' | 'assertive';

interface Message {
  text: string;
  politeness: Politeness;
  group: string | undefined;
}

export class Announcer {
  #host: HTMLElement | undefined;
  #regions: Record<Politeness, HTMLElement> | undefined;
  #queue = new Map<string, Message>();
  #said = new Map<string, { text: string; at: number }>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last = 0;

  constructor(
    /** The least time between two messages, and how long to gather them (ms). */
    readonly gap = 1000,
    readonly collect = 400,
    readonly summarizeAbove = 3,
  ) {}

  mount(): void {
    if (this.#host) return;
    const host = document.createElement('div');
    host.id = 'telltale-announcer';
    host.style.cssText =
      'position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap;inset-block-start:0';
    const region = (politeness: Politeness) => {
      const div = document.createElement('div');
      div.setAttribute('role', politeness === 'polite' ? 'status' : 'alert');
      div.setAttribute('aria-live', politeness);
      div.setAttribute('aria-atomic', 'true');
      host.append(div);
      return div;
    };
    this.#regions = { polite: region('polite'), assertive: region('assertive') };
    this.#host = host;
    document.body.append(host);
  }

  /** What is outside an open modal dialog is inert: move in while it is open. */
  inside(dialog: HTMLElement | undefined): void {
    this.mount();
    if (this.#host) (dialog ?? document.body).append(this.#host);
  }

  /**
   * Says a text soon. A newer one of the same key replaces it while it is
   * unsaid; messages of a group are summed up when there are many.
   */
  say(key: string, text: string, politeness: Politeness = 'polite', group?: string): void {
    if (!text) return;
    this.mount();
    const said = this.#said.get(key);
    if (said?.text === text && Date.now() - said.at < 10_000) return;
    this.#queue.set(key, { text, politeness, group });
    this.#arm();
  }

  #arm(): void {
    this.#timer ??= setTimeout(
      () => this.#flush(),
      Math.max(this.collect, this.#last + this.gap - Date.now()),
    );
  }

  #flush(): void {
    this.#timer = undefined;
    const grouped = [...this.#queue].filter(([, m]) => m.group);
    if (grouped.length > this.summarizeAbove) {
      const counts = new Map<string, number>();
      for (const [key, m] of grouped) {
        counts.set(m.group ?? '', (counts.get(m.group ?? '') ?? 0) + 1);
        this.#note(key, m.text);
      }
      const urgent = grouped.some(([, m]) => m.politeness === 'assertive');
      const sum = [...counts].map(([group, n]) => `${n} ${group}`).join(', ');
      this.#write(urgent ? 'assertive' : 'polite', `${grouped.length} jobs changed: ${sum}.`);
    } else {
      const next = [...this.#queue].find(([, m]) => m.politeness === 'assertive') ?? [...this.#queue][0];
      if (!next) return;
      const [key, m] = next;
      this.#note(key, m.text);
      this.#write(m.politeness, m.text);
    }
    this.#last = Date.now();
    if (this.#queue.size > 0) this.#arm();
  }

  #note(key: string, text: string): void {
    this.#queue.delete(key);
    if (this.#said.size > 500) this.#said.clear();
    this.#said.set(key, { text, at: Date.now() });
  }

  #write(politeness: Politeness, text: string): void {
    const region = this.#regions?.[politeness];
    // The same text again must change the DOM to be read again.
    if (region) region.textContent = region.textContent === text ? `${text}\u00A0` : text;
  }
}

export const announcer = new Announcer();
