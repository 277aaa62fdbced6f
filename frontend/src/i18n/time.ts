// Times for people, by Intl. Durations are milliseconds.

const relativeTime = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' });
const day = new Intl.DateTimeFormat('en', { dateStyle: 'medium' });
const clock = new Intl.DateTimeFormat('en', { timeStyle: 'medium' });
const full = new Intl.DateTimeFormat('en', { dateStyle: 'full', timeStyle: 'long' });
const short = new Intl.DateTimeFormat('en', {
  month: 'short',
  day: 'numeric',
  hour: 'numeric',
  minute: '2-digit',
});
const count = new Intl.NumberFormat('en');
const digits = (n: number) => String(n).padStart(2, '0');

/** "0:08", "2:12", "1:02:03". */
export function stopwatch(ms: number): string {
  const s = Math.floor(ms / 1000);
  const h = Math.floor(s / 3600);
  const m = Math.floor((s % 3600) / 60);
  return h ? `${h}:${digits(m)}:${digits(s % 60)}` : `${m}:${digits(s % 60)}`;
}

/** How long a finished job took: "340 ms", "2.1 s", then as a stopwatch. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 60_000) return `${Math.round(ms / 1000)} s`;
  return stopwatch(ms);
}

/** "2 minutes 4 seconds": for a voice. */
export function spoken(ms: number): string {
  const s = Math.max(1, Math.round(ms / 1000));
  const parts: [number, string][] = [
    [Math.floor(s / 3600), 'hour'],
    [Math.floor((s % 3600) / 60), 'minute'],
    [s < 3600 ? s % 60 : 0, 'second'],
  ];
  return parts
    .filter(([n]) => n > 0)
    .map(([n, unit]) => new Intl.NumberFormat('en', { style: 'unit', unit, unitDisplay: 'long' }).format(n))
    .join(' ');
}

/** "12 seconds": rounded as people do. */
export function roughly(ms: number): string {
  if (ms < 90_000) return spoken(ms < 15_000 ? ms : Math.round(ms / 5_000) * 5_000);
  return spoken(Math.round(ms / 60_000) * 60_000);
}

/** "8 sec. ago", "yesterday"; the instant and now are milliseconds. */
export function ago(at: number, now: number): string {
  const s = Math.round((at - now) / 1000);
  const a = Math.abs(s);
  if (a < 5) return 'just now';
  if (a < 60) return relativeTime.format(s, 'second');
  if (a < 3600) return relativeTime.format(Math.round(s / 60), 'minute');
  if (a < 86_400) return relativeTime.format(Math.round(s / 3600), 'hour');
  return relativeTime.format(Math.round(s / 86_400), 'day');
}

export const timeOfDay = (at: number): string => clock.format(at);
export const dayAndTime = (at: number, now: number): string =>
  day.format(at) === day.format(now) ? clock.format(at) : short.format(at);
export const fullTime = (at: number): string => full.format(at);
export const integer = (n: number): string => count.format(n);
/** A percent is never rounded up to done. */
export const percent = (n: number): string => `${Math.floor(n)}%`;
/** ISO 8601, for the datetime attribute. */
export const isoDuration = (ms: number): string => `PT${Math.floor(ms / 1000)}S`;
