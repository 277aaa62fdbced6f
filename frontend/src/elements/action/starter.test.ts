import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Client } from '../../client/client.ts';
import { Starter } from './starter.ts';

const job: unknown = JSON.parse(
  readFileSync(new URL('../../../../backend/job/testdata/status/queued.json', import.meta.url), 'utf8'),
);
const problem = (status: number, headers = {}) =>
  Response.json({ type: 'x', title: 'x', status, detail: 'No.', code: 'draining' }, { status, headers });

function setup(...answers: (Response | Error)[]) {
  const keys: string[] = [];
  const waits: number[] = [];
  const client = new Client('http://t/api/v1/', async (_, init) => {
    keys.push(new Headers(init?.headers).get('idempotency-key') ?? '');
    const next = answers.shift() ?? new Error('no more');
    if (next instanceof Error) throw next;
    return next;
  });
  const starter = new Starter(async (ms) => {
    waits.push(ms);
  });
  return { client, starter, keys, waits };
}

describe('a press of the button', () => {
  it('keeps its key over lost answers, so that it is one job', async () => {
    const { client, starter, keys } = setup(
      new TypeError('cut'),
      problem(502),
      Response.json(job, { status: 200 }),
    );
    const started = await starter.start(client, { action: 'push', target: 'berlin' });
    expect(started.joined).toBe(false); // the 200 found our own first try
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
  });

  it('says that it joined a job that was live already', async () => {
    const { client, starter } = setup(Response.json(job, { status: 200 }));
    expect((await starter.start(client, { action: 'push' })).joined).toBe(true);
  });

  it('gives up after a while, and the next press is still the same job', async () => {
    const { client, starter, keys } = setup(
      ...Array.from({ length: 5 }, () => new TypeError('cut')),
      Response.json(job, { status: 202 }),
    );
    await expect(starter.start(client, { action: 'push' })).rejects.toMatchObject({ code: 'unreachable' });
    await starter.start(client, { action: 'push' });
    expect(new Set(keys).size).toBe(1);
    expect(keys).toHaveLength(6);
  });

  it('takes a new key for another request, and after each that was answered', async () => {
    const { client, starter, keys } = setup(
      problem(422),
      Response.json(job, { status: 202 }),
      Response.json(job, { status: 202 }),
    );
    await expect(starter.start(client, { action: 'push' })).rejects.toMatchObject({ status: 422 });
    await starter.start(client, { action: 'push' });
    await starter.start(client, { action: 'push' });
    expect(new Set(keys).size).toBe(3);
  });

  it('waits as long as the server asks', async () => {
    const { client, starter, waits } = setup(
      problem(503, { 'retry-after': '3' }),
      Response.json(job, { status: 202 }),
    );
    await starter.start(client, { action: 'push' });
    expect(waits).toEqual([3_000]);
  });
});
