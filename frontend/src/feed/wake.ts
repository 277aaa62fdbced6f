import type { Off } from './listeners.ts';

/** Tells when the page or its network came back, and when the page is put away and taken out again. */
export function onWake(to: { kick: () => void; hide: () => void; show: () => void }): Off {
  if (typeof window === 'undefined') return () => {};
  const stop = new AbortController();
  const on = (target: EventTarget, name: string, f: () => void) =>
    target.addEventListener(name, f, { signal: stop.signal });
  on(window, 'online', to.kick);
  on(document, 'visibilitychange', () => {
    if (!document.hidden) to.kick();
  });
  // A page kept for the back button runs no code: hold no connection there.
  on(window, 'pagehide', to.hide);
  on(window, 'pageshow', () => {
    to.kick();
    to.show();
  });
  return () => stop.abort();
}
