/** Where in the app an address leads. */
export type Route =
  | { page: 'actions' }
  | { page: 'history'; query: URLSearchParams }
  | { page: 'job'; id: string }
  | { page: 'lost'; path: string };

export function routeOf(url: URL): Route {
  const path = url.pathname.replace(/\/+$/, '');
  if (path === '' || path === '/actions') return { page: 'actions' };
  if (path === '/history') return { page: 'history', query: url.searchParams };
  const job = path.match(/^\/jobs\/([0-9a-f-]{36})$/);
  if (job?.[1]) return { page: 'job', id: job[1] };
  return { page: 'lost', path: url.pathname };
}

export const jobPath = (id: string): string => `/jobs/${encodeURIComponent(id)}`;
/** What elements need to make such a path themselves. */
export const JOB_DETAILS = '/jobs/{id}';

/**
 * Follows links of this app without loading a page, and the browser's back and
 * forward. `changed` is called with the new address; `moved` is true when the
 * person went somewhere, not when the page only noted something in the address.
 */
export function navigate(to: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'replace') history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  dispatchEvent(new CustomEvent('telltale-navigate', { detail: how }));
}

export function onNavigate(changed: (url: URL, moved: boolean) => void): () => void {
  const here = () => new URL(location.href);
  const click = (e: MouseEvent) => {
    if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    const link = e.composedPath().find((n): n is HTMLAnchorElement => n instanceof HTMLAnchorElement);
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (/^\/(api|docs|openapi|embed)/.test(link.pathname) || link.getAttribute('href')?.startsWith('#'))
      return;
    e.preventDefault();
    navigate(link.href);
  };
  const pop = () => changed(here(), true);
  const go = (e: Event) => changed(here(), (e as CustomEvent<string>).detail === 'push');
  addEventListener('click', click);
  addEventListener('popstate', pop);
  addEventListener('telltale-navigate', go);
  return () => {
    removeEventListener('click', click);
    removeEventListener('popstate', pop);
    removeEventListener('telltale-navigate', go);
  };
}
