// RFC 8785 canonical JSON, without a package because the standalone verifier uses it (test: equal to `canonicalize`).
import type { Json } from '../domain/entry.ts';

const plain = /^[ !#-[\]-~]*$/;

/** Texts of frozen objects and lists: what a cached decision says is the same each time. */
const texts = new WeakMap<object, string>();

/**
 * Canonical text of a value. Members that are undefined are left out. TypeError for what JSON cannot carry exactly. A
 * frozen object or list is written once and remembered, so what is frozen must be frozen all the way down.
 */
export function canonical(value: Json): string {
  switch (typeof value) {
    case 'string':
      return quote(value);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError('canonical JSON has no infinities and no NaN');
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      return Object.isFrozen(value) ? remembered(value) : fresh(value);
    default:
      throw new TypeError(`canonical JSON cannot carry a ${typeof value}`);
  }
}

/** A string with its quotes; escapes as ECMAScript does, which is what RFC 8785 §3.2.2.2 asks for. */
export function quote(text: string): string {
  if (plain.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new TypeError('canonical JSON cannot carry half of a surrogate pair');
  return JSON.stringify(text);
}

/** Freezes a value all the way down, which is what `canonical` remembers. */
export function freezeAll<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) freezeAll(member);
  return Object.freeze(value);
}

function remembered(value: object): string {
  const known = texts.get(value);
  if (known !== undefined) return known;
  const text = fresh(value);
  texts.set(value, text);
  return text;
}

function fresh(value: object): string {
  return Array.isArray(value) ? list(value) : record(value as { readonly [key: string]: Json | undefined });
}

function list(values: readonly Json[]): string {
  let out = '[';
  for (let i = 0; i < values.length; i++) out += i === 0 ? canonical(values[i]!) : `,${canonical(values[i]!)}`;
  return `${out}]`;
}

function record(value: { readonly [key: string]: Json | undefined }): string {
  const keys = Object.keys(value);
  // Most records come with their keys in order already, and looking is cheaper than sorting.
  for (let i = 1; i < keys.length; i++) {
    if (keys[i - 1]! > keys[i]!) {
      keys.sort();
      break;
    }
  }
  let out = '{';
  for (const key of keys) {
    const member = value[key];
    if (member === undefined) continue;
    if (out.length > 1) out += ',';
    out += `${quote(key)}:${canonical(member)}`;
  }
  return `${out}}`;
}
