// The entry of this folder: SQL text → Analysis, kept by text, catalogue and search path, so that repetition costs a look-up.
// Statements that differ only in whole numbers share an analysis where shape.ts proves that they may.
import type { Meaning } from '../domain/statement.ts';
import { traceComment } from '../domain/trace.ts';
import type { WrittenBack } from '../masking/written-back.ts';
import type { Analysis, Scope } from './analysis.ts';
import type { Catalogue } from './catalogue.ts';
import { maxTextLength } from './parse.ts';
import { immaterialNumbers, shapeOf } from './shape.ts';
import { isCacheable, readText, treesOf, withMeaning, withText } from './text.ts';

export interface AnalyserOptions {
  /** Longest text in UTF-16 units; longer ones are refused. Default 1 Mi. */
  readonly maxText?: number;
  /** Analyses kept for one catalogue, search path and role. Default 2048. */
  readonly maxEntries?: number;
  /** Texts longer than this are not kept. Default 16 Ki. */
  readonly maxKeptText?: number;
  /** Tells literals that a mask made. Default: what can be told without the gateway's key. */
  readonly writtenBack?: WrittenBack;
}

export interface Analyser {
  /** Throws Fault('statement.not-understood'), whose cause is a SyntaxFault where the server would answer with an error. */
  analyse(sql: string, scope: Scope): Analysis;
}

interface Bucket {
  readonly texts: Bounded<Analysis>;
  /** Analyses by shape; null for a shape whose numbers matter. */
  readonly shapes: Bounded<Analysis | null>;
  readonly meanings: Bounded<Meaning>;
}

/** Search paths seen with one catalogue; more than this and the oldest are forgotten. */
const maxBuckets = 32;

/** Call `loadParser()` of parse.ts before the first use. Pure but for its memory; one for a process. */
export function openAnalyser(options: AnalyserOptions = {}): Analyser {
  const { maxText = maxTextLength, maxEntries = 2048, maxKeptText = 16 << 10, writtenBack } = options;
  const catalogues = new WeakMap<Catalogue, Bounded<Bucket>>();
  let last: { catalogue: Catalogue; searchPath: readonly string[]; role: string; bucket: Bucket } | undefined;

  function bucketOf(scope: Scope): Bucket {
    if (last && last.catalogue === scope.catalogue && last.searchPath === scope.searchPath && last.role === scope.role)
      return last.bucket;
    let buckets = catalogues.get(scope.catalogue);
    if (!buckets) catalogues.set(scope.catalogue, (buckets = bounded(maxBuckets)));
    const key = JSON.stringify([scope.role, ...scope.searchPath]);
    let bucket = buckets.get(key);
    if (!bucket) {
      bucket = { texts: bounded(maxEntries), shapes: bounded(maxEntries), meanings: bounded(maxEntries) };
      buckets.set(key, bucket);
    }
    last = { catalogue: scope.catalogue, searchPath: scope.searchPath, role: scope.role, bucket };
    return bucket;
  }

  function analyseText(sql: string, scope: Scope): Analysis {
    const bucket = bucketOf(scope);
    const known = bucket.texts.get(sql);
    if (known) return known;
    const shape = shapeOf(sql);
    const similar = shape && bucket.shapes.get(shape.key);
    if (similar) return withText(similar, sql);
    const read = readText(sql, scope, maxText, writtenBack);
    const analysis = sharedMeaning(read, bucket.meanings);
    if (!isCacheable(analysis)) return analysis;
    if (shape && similar === undefined) {
      const shared = sharesShape(analysis, sql, shape.numbers);
      bucket.shapes.set(shape.key, shared ? analysis : null);
      if (shared) return analysis;
    }
    if (sql.length <= maxKeptText) bucket.texts.set(sql, analysis);
    return analysis;
  }

  return {
    analyse(sql, scope) {
      // A trace makes each text another one: it is read without the comment that names it, where it can be.
      const named = sql.length <= maxText ? traceComment(sql) : undefined;
      if (named === undefined) return analyseText(sql, scope);
      try {
        return analyseText(named.bare, scope);
      } catch {
        return analyseText(sql, scope);
      }
    },
  };
}

/** Reads one text without keeping it. Same faults as an analyser's. */
export function analyse(sql: string, scope: Scope): Analysis {
  return readText(sql, scope);
}

/** Every number of the text is a constant that no analysis looks at, and the recorded text is the text itself. */
function sharesShape(analysis: Analysis, sql: string, numbers: number): boolean {
  const trees = treesOf(analysis);
  return trees.length === 1 && analysis.text === sql && immaterialNumbers(trees[0]!) === numbers;
}

/** Decisions are cached by the identity of a meaning, so equal meanings become one object. */
function sharedMeaning(analysis: Analysis, meanings: Bounded<Meaning>): Analysis {
  const key = JSON.stringify(analysis.meaning);
  const known = meanings.get(key);
  if (!known) {
    meanings.set(key, analysis.meaning);
    return analysis;
  }
  return withMeaning(analysis, known);
}

interface Bounded<T> {
  get(key: string): T | undefined;
  set(key: string, value: T): void;
}

/** At most `limit` entries in two generations: what was not asked for during the last half is forgotten. */
function bounded<T>(limit: number): Bounded<T> {
  let young = new Map<string, T>();
  let old = new Map<string, T>();
  const put = (key: string, value: T) => {
    if (young.size >= limit / 2) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
  };
  return {
    get(key) {
      const value = young.get(key);
      if (value !== undefined) return value;
      const kept = old.get(key);
      if (kept !== undefined) put(key, kept);
      return kept;
    },
    set: put,
  };
}
