import { describe, expect, it } from 'vitest';
import type { Line } from '../../contract/answers.ts';
import { plain, SHOWN, Tail } from './lines.ts';

const line = (n: number): Line => ({ n, at: '2026-11-24T12:00:00Z', stream: 'stdout', text: `line ${n}` });
const lines = (...ns: number[]) => ns.map(line);

describe('the tail of a log', () => {
  it('drops what comes twice and knows a gap', () => {
    const tail = new Tail();
    expect(tail.push(lines(1, 2))).toBe(2);
    expect(tail.push(lines(2, 3))).toBe(1);
    expect(tail.push(lines(5))).toBeUndefined();
    expect(tail.next).toBe(4);
    expect(tail.fill(lines(4, 5, 6), 7, 0)).toBe(3);
    expect(tail.push(lines(5, 6))).toBe(0);
    expect(tail.lines.map((l) => l.n)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('goes on over lines that are no longer kept', () => {
    const tail = new Tail();
    tail.fill(lines(1, 2, 90, 91), 92, 87);
    expect(tail.next).toBe(92);
    expect(tail.dropped).toBe(87);
    expect(tail.push(lines(92))).toBe(1);
  });

  it('shows no more than is good for a page', () => {
    const tail = new Tail();
    tail.push(Array.from({ length: SHOWN + 50 }, (_, i) => line(i + 1)));
    expect(tail.lines).toHaveLength(SHOWN);
    expect(tail.lines.at(-1)?.n).toBe(SHOWN + 50);
  });

  it.each([
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b]0;title\u0007text', 'text'],
    ['\u001b]9;4;1;40\u001b\\done', 'done'],
    ['half \u001b[3', 'half 3'],
    ['bell\u0007 and\ttab', 'bell and\ttab'],
    ['<script>alert(1)</script>', '<script>alert(1)</script>'],
  ])('shows %j as %j', (from, to) => {
    expect(plain(from)).toBe(to);
  });
});
