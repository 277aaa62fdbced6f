import { type SVGTemplateResult, svg } from 'lit';
import type { ViewKey } from './view.ts';

// 16 px grid, 1.5 px strokes. Every state has its own silhouette: colour is
// never the only cue. What is cut out of a solid shape has the colour --_cut.

const ring = svg`<circle cx="8" cy="8" r="6.25" fill="none" stroke="currentColor" stroke-width="1.5"/>`;
const disc = svg`<circle cx="8" cy="8" r="7" fill="currentColor"/>`;
const cut = (d: string) =>
  svg`<path d=${d} fill="none" stroke="var(--_cut)" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"/>`;
const line = (d: string) =>
  svg`<path d=${d} fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"/>`;
const spinner = svg`<circle cx="8" cy="8" r="6.25" fill="none" stroke="currentColor" stroke-opacity=".25" stroke-width="2"/><path d="M14.25 8A6.25 6.25 0 0 0 8 1.75" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"/>`;

export const ICON: Record<ViewKey, SVGTemplateResult> = {
  idle: svg`<circle cx="8" cy="8" r="6.25" fill="none" stroke="currentColor" stroke-width="1.5" stroke-dasharray="2.2 2.7"/>`,
  starting: spinner,
  queued: svg`${ring}${line('M5 8h.01M8 8h.01M11 8h.01')}`,
  running: spinner,
  waiting: svg`${line('M2 8a6 6 0 0 1 6-6M14 8a6 6 0 0 1-6 6')}<path d="M5.6 5.2h1.6v5.6H5.6zM8.8 5.2h1.6v5.6H8.8z" fill="currentColor"/>`,
  canceling: svg`${spinner}<circle cx="8" cy="8" r="2.4" fill="currentColor"/>`,
  succeeded: svg`${disc}${cut('M5 8.3 7.1 10.4 11.2 5.8')}`,
  warning: svg`<path d="M8 1.6 15 13.8H1Z" fill="currentColor" stroke="currentColor" stroke-width="1" stroke-linejoin="round"/>${cut('M8 6v3.4M8 11.7h.01')}`,
  failed: svg`<path d="M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1Z" fill="currentColor"/>${cut('M5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4')}`,
  timed_out: svg`${disc}${cut('M8 4.4V8l2.4 1.6')}`,
  canceled: svg`${ring}${line('M3.8 12.2 12.2 3.8')}`,
  interrupted: svg`<path d="M8 .9 15.1 8 8 15.1.9 8Z" fill="currentColor"/>${cut('M6.2 6.3a1.9 1.9 0 1 1 2.7 1.9c-.6.3-.9.6-.9 1.2M8 11.6h.01')}`,
  skipped: svg`${line('M3 4.5 7 8l-4 3.5M8 4.5 12 8l-4 3.5M14 4v8')}`,
  lost: svg`${line('M2 2l12 12')}${line('M6.3 6.2A4 4 0 0 0 4.6 12h6.9M13.2 10.9A3 3 0 0 0 11.6 6.2 4 4 0 0 0 8.4 4.1')}`,
};

/** The views whose icon turns. */
export const TURNS: ReadonlySet<ViewKey> = new Set(['starting', 'running', 'canceling']);
