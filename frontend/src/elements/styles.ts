import { type CSSResult, unsafeCSS } from 'lit';
import tokens from '../styles/tokens.css?inline';
import parts from './parts.css?inline';

/** What every element begins with: the tokens, and the parts they share. */
export const base: CSSResult[] = [unsafeCSS(tokens), unsafeCSS(parts)];
