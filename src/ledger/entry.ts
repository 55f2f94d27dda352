// Ledger entries: canonical JSON of a plain header (docs/ledger-format.md, "Entries").
import { type EntryType, entryTypes, type Json, type PayloadGroup } from '../domain/entry.ts';
import { canonical, freezeAll, quote } from './canonical.ts';
import { type Bytes, textOf } from './platform.ts';

/** Longest entry in bytes. */
export const entryLimit = 8192;

export type Facts = { readonly [key: string]: Json | undefined };

export interface Entry {
  readonly v: 1;
  readonly t: EntryType;
  /** Milliseconds since the epoch; never less than the entry before. */
  readonly ts: number;
  /** Name of the gateway. */
  readonly gw: string;
  /** Id of the process's life that wrote it. */
  readonly boot: string;
  readonly sid?: string;
  /** Position of the statement in its session, from 1. */
  readonly sq?: number;
  readonly x: Facts;
  /** Commitment to each group of the sealed payload, base64url. */
  readonly c?: Readonly<Partial<Record<PayloadGroup, string>>>;
  /** Id of the key that seals the payload. */
  readonly k?: string;
}

/** What `sid`, `boot` and `k` may look like: nothing that JSON would escape and nothing that a path would follow. */
export const opaqueId = /^[A-Za-z0-9_-]{1,64}$/;

const typeNames: ReadonlySet<string> = new Set(entryTypes);

/** A writer of entries for one gateway and one boot; the constant parts are prepared once. */
export function entryWriter(gateway: string, boot: string) {
  const head = `{"boot":"${boot}"`;
  const middle = `,"gw":${quote(gateway)}`;
  /** The entry's text. `commitments` is the canonical text of `c`, and comes together with `key`. */
  return function write(
    type: EntryType,
    ts: number,
    session: string | undefined,
    sequence: number | undefined,
    facts: Facts,
    commitments: string | undefined,
    key: string | undefined,
  ): string {
    let text = head;
    if (commitments !== undefined) text += `,"c":${commitments}`;
    text += middle;
    if (commitments !== undefined) text += `,"k":"${key}"`;
    if (session !== undefined) text += `,"sid":"${session}"`;
    if (sequence !== undefined) text += `,"sq":${sequence}`;
    return `${text},"t":"${type}","ts":${ts},"v":1,"x":${canonical(facts)}}`;
  };
}

/**
 * The form that `entryWriter` gives an entry. What matches is canonical as far as the facts: members in order, strings
 * without escapes, numbers without signs, fractions and leading zeros.
 */
const written =
  /^\{"boot":"([A-Za-z0-9_-]{1,64})"(?:,"c":\{"(who|what|target|result|approval|admin)":"([A-Za-z0-9_-]{43})"\})?,"gw":"([ !#-[\]-~]*)"(?:,"k":"([A-Za-z0-9_-]{1,64})")?(?:,"sid":"([A-Za-z0-9_-]{1,64})")?(?:,"sq":([1-9]\d{0,14}))?,"t":"([a-z.-]{1,32})","ts":(0|[1-9]\d{0,14}),"v":1,"x":(\{.*\})\}$/s;

const keptFacts = 2048;
const longestKeptFacts = 1024;
/** Facts that were read before, by their text: most entries say what another one said. Frozen all the way down. */
let facts = new Map<string, Facts>();
let factsBefore = new Map<string, Facts>();

/**
 * Reads an entry. A string says what is wrong with it: only the one canonical form is an entry. Two entries may share
 * one object of facts.
 */
export function parseEntry(bytes: Bytes): Entry | string {
  if (bytes.length > entryLimit) return `is longer than ${entryLimit} bytes`;
  const text = textOf(bytes);
  const found = written.exec(text);
  if (!found) return readEntry(text);
  const [, boot, group, commitment, gw, k, sid, sq, t, ts, factsText] = found;
  const isComplete = (group === undefined) === (k === undefined) && (sq === undefined || sid !== undefined);
  if (!isComplete || !typeNames.has(t!)) return readEntry(text);
  const x = factsOf(factsText!);
  if (x === undefined) return readEntry(text);
  return {
    v: 1,
    t: t as EntryType,
    ts: Number(ts),
    gw: gw!,
    boot: boot!,
    ...(sid === undefined ? {} : { sid }),
    ...(sq === undefined ? {} : { sq: Number(sq) }),
    x,
    ...(group === undefined ? {} : { c: { [group]: commitment }, k }),
  };
}

/** The facts of a text that is canonical JSON of one object, else undefined. */
function factsOf(text: string): Facts | undefined {
  const known = facts.get(text) ?? factsBefore.get(text);
  if (known !== undefined) return known;
  let value: unknown;
  try {
    value = JSON.parse(text);
    if (!plainObject(value) || canonical(value as Json) !== text) return undefined;
  } catch {
    return undefined;
  }
  if (text.length <= longestKeptFacts) {
    if (facts.size >= keptFacts) {
      factsBefore = facts;
      facts = new Map();
    }
    facts.set(text, freezeAll(value) as Facts);
  }
  return value as Facts;
}

/** Reads an entry of any form. */
export function readEntry(text: string): Entry | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
    if (canonical(value as Json) !== text) return 'is not canonical JSON';
  } catch {
    return 'is not canonical JSON';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is not an object';
  const entry = value as Record<string, unknown>;
  for (const key of Object.keys(entry)) if (!members.has(key)) return `has the unknown member "${key}"`;
  if (entry.v !== 1) return 'has an unknown version';
  if (typeof entry.t !== 'string' || !typeNames.has(entry.t)) return 'has an unknown type';
  if (!count(entry.ts)) return 'has no time';
  if (typeof entry.gw !== 'string') return 'names no gateway';
  if (!id(entry.boot)) return 'names no boot';
  if (entry.sid !== undefined && !id(entry.sid)) return 'has a malformed session id';
  if (entry.sq !== undefined && (!count(entry.sq) || entry.sq === 0)) return 'has a malformed sequence number';
  if (entry.sq !== undefined && entry.sid === undefined) return 'has a sequence number and no session';
  if (!plainObject(entry.x)) return 'has no facts';
  if ((entry.c === undefined) !== (entry.k === undefined))
    return 'has commitments without a key, or a key without them';
  if (entry.c !== undefined) {
    if (!id(entry.k)) return 'has a malformed key id';
    if (!plainObject(entry.c)) return 'has malformed commitments';
    for (const [group, value] of Object.entries(entry.c)) {
      if (!groups.has(group) || typeof value !== 'string' || !commitment.test(value))
        return 'has malformed commitments';
    }
  }
  return value as Entry;
}

const members: ReadonlySet<string> = new Set(['v', 't', 'ts', 'gw', 'boot', 'sid', 'sq', 'x', 'c', 'k']);
const groups: ReadonlySet<string> = new Set<PayloadGroup>(['who', 'what', 'target', 'result', 'approval', 'admin']);
const commitment = /^[A-Za-z0-9_-]{43}$/;

function count(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function id(value: unknown): boolean {
  return typeof value === 'string' && opaqueId.test(value);
}

function plainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
