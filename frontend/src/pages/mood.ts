import { isFinal, type Job } from '../contract/job.ts';

/** What the tab shows: nothing, that something runs, or that something failed while nobody looked. */
export type Mood = 'calm' | 'running' | 'failed';

/** Counts what runs and what failed unseen, from the jobs the page hears of. */
export class Moods {
  #running = new Set<string>();
  #live = new Set<string>();
  #failed = new Set<string>();

  get running(): number {
    return this.#running.size;
  }

  get mood(): Mood {
    if (this.#failed.size > 0) return 'failed';
    return this.#running.size > 0 ? 'running' : 'calm';
  }

  /** Takes in a job. `seen` is whether a person is looking at the page. */
  heard(job: Job, seen: boolean): void {
    const wasLive = this.#live.has(job.id);
    if (job.state === 'running') this.#running.add(job.id);
    else this.#running.delete(job.id);
    if (isFinal(job.state)) this.#live.delete(job.id);
    else this.#live.add(job.id);
    const bad = job.state === 'failed' || job.state === 'interrupted';
    if (wasLive && bad && !seen) this.#failed.add(job.id);
  }

  /** A person looks: what failed is seen. */
  look(): void {
    this.#failed.clear();
  }
}

const COLOR: Record<Mood, string> = { calm: '%231f5fd6', running: '%231f5fd6', failed: '%23c22a28' };
const MARK: Record<Mood, string> = {
  calm: "<circle cx='16' cy='16' r='5' fill='%23fff'/>",
  running:
    "<circle cx='16' cy='16' r='8' fill='none' stroke='%23fff' stroke-opacity='.4' stroke-width='4'/><path d='M24 16a8 8 0 0 0-8-8' fill='none' stroke='%23fff' stroke-width='4' stroke-linecap='round'/>",
  failed: "<path d='M11 11l10 10M21 11 11 21' stroke='%23fff' stroke-width='4' stroke-linecap='round'/>",
};

/** The favicon of a mood; its colours are those of the accent and danger tokens in light. */
export const favicon = (mood: Mood): string =>
  `data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><rect width='32' height='32' rx='8' fill='${COLOR[mood]}'/>${MARK[mood]}</svg>`;
