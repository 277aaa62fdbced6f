import { html, nothing, type TemplateResult } from 'lit';
import { percent } from '../i18n/time.ts';
import { ICON, TURNS } from './icons.ts';
import type { Bar, View } from './view.ts';

// Pieces of templates that several elements draw.

/** The icon of a view; it turns while something happens. */
export function icon(view: View): TemplateResult {
  const turns = TURNS.has(view.key);
  // All that turn are in phase: the delay is where the turn would be by now.
  const delay = turns ? `animation-delay:${-Math.round(performance.now() % 900)}ms` : '';
  return html`<svg class=${turns ? 'icon turns' : 'icon'} .style=${delay} viewBox="0 0 16 16" aria-hidden="true">${ICON[view.key]}</svg>`;
}

/** The address of a job's details, from a pattern with {id} in it; undefined unless it is one a link may have. */
export function detailsOf(pattern: string, id: string): string | undefined {
  if (!pattern) return undefined;
  try {
    const to = new URL(pattern.replace('{id}', encodeURIComponent(id)), document.baseURI);
    return to.protocol === 'http:' || to.protocol === 'https:' ? to.href : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The bar of a job. The style is set as a property, through the CSSOM: a strict
 * content security policy blocks the attribute, and the bar would show 100 %.
 */
export function bar(
  of: Bar | undefined,
  name: string,
  amount: string,
  stale: boolean,
): TemplateResult | typeof nothing {
  if (!of) return nothing;
  const known = of.kind !== 'unknown';
  const words = known
    ? `${of.kind === 'guessed' ? 'about ' : ''}${percent(of.percent)}${amount ? `, ${amount}` : ''}`
    : 'In progress, no estimate';
  return html`<div class="bar ${of.kind}${stale ? ' stale' : ''}" part="bar" role="progressbar" aria-label="${name} progress"
    aria-valuemin="0" aria-valuemax="100" aria-valuenow=${known ? Math.floor(of.percent) : nothing} aria-valuetext=${words}
  ><div class="fill" .style=${known ? `inline-size:${of.percent}%` : ''}></div></div>`;
}
