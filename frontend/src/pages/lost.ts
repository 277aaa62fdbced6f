import { html, LitElement, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { pageStyles } from './styles.ts';

/** An address that leads nowhere. */
@customElement('telltale-lost')
export class LostPage extends LitElement {
  static override styles = pageStyles;

  @property() path = '';

  protected override render(): TemplateResult {
    return html`<div class="top"><h1 tabindex="-1">Not found</h1></div>
      <div class="empty"><strong>There is no page here</strong><p><code>${this.path}</code> leads nowhere. The link may be old, or a letter is missing.</p><a class="button" href="/">Go to actions</a></div>`;
  }
}
