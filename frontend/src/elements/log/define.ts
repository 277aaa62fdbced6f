import { TelltaleLog } from './log.ts';

if (!customElements.get('telltale-log')) customElements.define('telltale-log', TelltaleLog);

declare global {
  interface HTMLElementTagNameMap {
    'telltale-log': TelltaleLog;
  }
}
