import { isFinal, type Job } from '../contract/job.ts';

/** Jobs nobody watches are forgotten beyond this many. */
const KEEP = 1_000;

/** The newest known revision of each job, and the newest job of each action and target. */
export class Jobs {
  #jobs = new Map<string, Job>();
  #newest = new Map<string, Job>();
  #running = new Set<string>();

  constructor(private readonly watched: (id: string) => boolean) {}

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  newest(key: string): Job | undefined {
    return this.#newest.get(key);
  }

  /** Whether any known job is running. */
  get running(): boolean {
    return this.#running.size > 0;
  }

  static key(job: Job): string {
    return `${job.action}/${job.target ?? ''}`;
  }

  /** Takes in a job; says whether that is news, and whether it is the newest of its action and target. */
  take(job: Job): { news: boolean; leads: boolean } {
    const known = this.#jobs.get(job.id);
    if (known && known.rev >= job.rev) return { news: false, leads: false };
    this.#jobs.delete(job.id); // to the young end
    this.#jobs.set(job.id, job);
    if (job.state === 'running') this.#running.add(job.id);
    else this.#running.delete(job.id);
    if (this.#jobs.size > KEEP) this.#forget();
    const key = Jobs.key(job);
    const newest = this.#newest.get(key);
    const leads = !newest || job.id >= newest.id; // UUIDv7: ids sort by creation
    if (leads) this.#newest.set(key, job);
    return { news: true, leads };
  }

  #forget(): void {
    for (const [id, job] of this.#jobs) {
      if (this.#jobs.size <= KEEP) return;
      if (isFinal(job.state) && !this.watched(id)) this.#jobs.delete(id);
    }
  }
}
