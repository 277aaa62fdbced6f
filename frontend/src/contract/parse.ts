/**
 * Parse, don't cast: a parser takes anything and gives a value of its type or
 * throws a ShapeError that names the place. Fields nobody here knows are
 * ignored, so that a newer server may say more.
 */
export type Parser<T> = (value: unknown, at: string) => T;

/** What arrived is not what the contract says. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
  constructor(at: string, want: string, value: unknown) {
    super(`${at}: want ${want}, got ${JSON.stringify(value)?.slice(0, 80) ?? typeof value}`);
  }
}

/** The text of a value. */
export const text: Parser<string> = (v, at) => {
  if (typeof v !== 'string') throw new ShapeError(at, 'a text', v);
  return v;
};

/** A finite number. */
export const number: Parser<number> = (v, at) => {
  if (typeof v !== 'number' || !Number.isFinite(v)) throw new ShapeError(at, 'a number', v);
  return v;
};

export const bool: Parser<boolean> = (v, at) => {
  if (typeof v !== 'boolean') throw new ShapeError(at, 'true or false', v);
  return v;
};

/** RFC 3339, kept as text; that it is a time is checked. */
export const time: Parser<string> = (v, at) => {
  if (typeof v !== 'string' || Number.isNaN(Date.parse(v))) throw new ShapeError(at, 'a time', v);
  return v;
};

/** One of the given words; a word nobody knows is an error, never a guess. */
export const word =
  <const W extends string>(...words: readonly W[]): Parser<W> =>
  (v, at) => {
    const found = words.find((w) => w === v);
    if (found === undefined) throw new ShapeError(at, words.join(' | '), v);
    return found;
  };

/** A list; null, which Go sends for an empty slice, is an empty list. */
export const list =
  <T>(item: Parser<T>): Parser<T[]> =>
  (v, at) => {
    if (v === null || v === undefined) return [];
    if (!Array.isArray(v)) throw new ShapeError(at, 'a list', v);
    return v.map((x, i) => item(x, `${at}[${i}]`));
  };

/** Names to values. */
export const record =
  <T>(item: Parser<T>): Parser<Record<string, T>> =>
  (v, at) =>
    Object.fromEntries(Object.entries(object(v, at)).map(([k, x]) => [k, item(x, `${at}.${k}`)]));

/** Anything at all. */
export const anything: Parser<unknown> = (v) => v;

/** A value that may be null or absent: then undefined. */
export const maybe =
  <T>(item: Parser<T>): Parser<T | undefined> =>
  (v, at) =>
    v === null || v === undefined ? undefined : item(v, at);

/** Marks a field that may be absent. */
export interface Optional<T> {
  readonly optional: Parser<T>;
}
export const optional = <T>(item: Parser<T>): Optional<T> => ({ optional: item });

type Fields = Record<string, Parser<unknown> | Optional<unknown>>;
type Required_<F extends Fields> = {
  [K in keyof F as F[K] extends Parser<unknown> ? K : never]: F[K] extends Parser<infer T> ? T : never;
};
type Optional_<F extends Fields> = {
  [K in keyof F as F[K] extends Optional<unknown> ? K : never]?: F[K] extends Optional<infer T> ? T : never;
};
export type Shape<F extends Fields> = Required_<F> & Optional_<F>;

/** An object with these fields; optional ones that are absent or null stay absent. */
export const shape =
  <F extends Fields>(fields: F): Parser<Shape<F>> =>
  (v, at) => {
    const from = object(v, at);
    const to: Record<string, unknown> = {};
    for (const [key, field] of Object.entries(fields)) {
      const value = from[key];
      if (typeof field === 'function') to[key] = field(value, `${at}.${key}`);
      else if (value !== undefined && value !== null) to[key] = field.optional(value, `${at}.${key}`);
    }
    return to as Shape<F>;
  };

function object(v: unknown, at: string): Record<string, unknown> {
  if (typeof v !== 'object' || v === null || Array.isArray(v)) throw new ShapeError(at, 'an object', v);
  return v as Record<string, unknown>;
}
