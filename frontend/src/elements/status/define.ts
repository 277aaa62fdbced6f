import { TelltaleStatus } from './status.ts';

if (!customElements.get('telltale-status')) customElements.define('telltale-status', TelltaleStatus);

declare global {
  interface HTMLElementTagNameMap {
    'telltale-status': TelltaleStatus;
  }
}
