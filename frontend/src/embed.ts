// The one module a foreign page loads:
//
//     <script type="module" src="https://telltale.example/embed/telltale.js"></script>
//     <telltale-action action="push" target="berlin"></telltale-action>

import { pageFeed } from './feed/page.ts';
import './elements/action/define.ts';
import './elements/log/define.ts';
import './elements/status/define.ts';

const here = import.meta.url;

/** The feed of this page, connected to the server this module came from. */
export const feed = pageFeed(new URL('..', here).href);
