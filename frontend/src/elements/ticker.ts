type Tick = () => void;

const ticks = new Set<Tick>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Calls back once a second while wanted: one interval for the whole page. */
export const ticker = {
  add(tick: Tick): void {
    ticks.add(tick);
    timer ??= setInterval(() => {
      for (const t of ticks) t();
    }, 1000);
  },
  delete(tick: Tick): void {
    ticks.delete(tick);
    if (ticks.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  },
};
