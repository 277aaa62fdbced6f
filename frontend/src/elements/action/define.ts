import { TelltaleAction } from './action.ts';

if (!customElements.get('telltale-action')) customElements.define('telltale-action', TelltaleAction);

declare global {
  interface HTMLElementTagNameMap {
    'telltale-action': TelltaleAction;
  }
}
