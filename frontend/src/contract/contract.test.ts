import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parsePlace } from './answers.ts';
import { isFinal, parseJob, STATES } from './job.ts';
import { ShapeError } from './parse.ts';

const fixtures = new URL('../../../backend/job/testdata/status/', import.meta.url);
const read = (file: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(file, fixtures), 'utf8'));

describe('the contract', () => {
  const files = readdirSync(fixtures).filter((f) => f.endsWith('.json'));

  it('has a fixture written by Go for every state', () => {
    expect(files.map((f) => f.replace('.json', '')).sort()).toEqual([...STATES].sort());
  });

  it.each(files)('reads %s as it is, without losing a field', (file) => {
    const job = parseJob(read(file), 'job');
    expect(job).toEqual(read(file));
    expect(`${job.state}.json`).toBe(file);
  });

  it.each([
    ['an unknown state', { state: 'exploded' }],
    ['a state of another type', { state: 3 }],
    ['no rev', { rev: undefined }],
    ['a rev that is a text', { rev: '3' }],
    ['a time that is none', { updated_at: 'yesterday' }],
    ['an unknown way in', { trigger: { via: 'telepathy', by: 'ada' } }],
    ['a percent that is not finite', { progress: { percent: '62' } }],
  ])('refuses %s', (_, change) => {
    expect(() => parseJob({ ...read('running.json'), ...change }, 'job')).toThrow(ShapeError);
  });

  it.each([null, 7, 'job', [], true])('refuses %j as a job', (value) => {
    expect(() => parseJob(value, 'job')).toThrow(ShapeError);
  });

  it('ignores what a newer server adds', () => {
    expect(parseJob({ ...read('queued.json'), mood: 'hopeful' }, 'job')).toEqual(read('queued.json'));
  });

  it('knows which states are final', () => {
    expect(STATES.filter((s) => !isFinal(s))).toEqual(['queued', 'running', 'waiting']);
  });

  it('reads a place in the feed and nothing else', () => {
    expect(parsePlace('abc1.17')).toEqual({ feed: 'abc1', seq: 17 });
    for (const bad of [undefined, '', 'abc', '.1', 'abc.', 'abc.-1', 'abc.1x', 'A.1'])
      expect(parsePlace(bad)).toBeUndefined();
  });

  it('has types that are what the OpenAPI document generates', { timeout: 30_000 }, () => {
    const path = (from: string) => fileURLToPath(new URL(from, import.meta.url));
    const out = join(mkdtempSync(join(tmpdir(), 'types-')), 'api.gen.ts');
    const cli = path('../../node_modules/openapi-typescript/bin/cli.js');
    execFileSync(process.execPath, [cli, path('../../../docs/reference/openapi.json'), '-o', out], {
      stdio: 'ignore',
    });
    expect(readFileSync(out, 'utf8')).toBe(readFileSync(path('api.gen.ts'), 'utf8'));
  });
});
