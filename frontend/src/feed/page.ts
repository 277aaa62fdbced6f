import { Client } from '../client/client.ts';
import { JobFeed } from './feed.ts';

const PAGE = Symbol.for('telltale.feed');

/**
 * The one feed of this page, made when first asked for. Two copies of this
 * module (the app's and an embed's) find the same one. `server` is the address
 * of the Telltale server, for the first caller only.
 */
export function pageFeed(server: string = location.origin): JobFeed {
  const page = globalThis as { [PAGE]?: JobFeed };
  page[PAGE] ??= new JobFeed({ client: new Client(new URL('/api/v1/', server).href) });
  return page[PAGE];
}
