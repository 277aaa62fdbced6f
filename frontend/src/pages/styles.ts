import { type CSSResult, unsafeCSS } from 'lit';
import parts from '../elements/parts.css?inline';
import pages from './pages.css?inline';

export const pageStyles: CSSResult[] = [unsafeCSS(parts), unsafeCSS(pages)];
