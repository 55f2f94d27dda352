// Where an issuer's public keys come from: a file that may change, or OpenID Connect discovery with rotation. A key is
// found by the issuer's own set alone; what a token says of keys (jwk, jku, x5c) is never used.
import { readFile, stat } from 'node:fs/promises';
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { Fault } from '../domain/fault.ts';
import type { Issuer } from './issuer.ts';

export interface KeySource {
  /** The keys to verify with. `unknown` says that a token named a key that the set before did not have. */
  keys(unknown?: boolean): Promise<KeySet>;
}

/** The same object for as long as the keys are the same: what was verified with another must be verified again. */
export interface KeySet {
  readonly find: JWTVerifyGetKey;
}

export interface Surroundings {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly fetch: typeof globalThis.fetch;
}

/** Seconds: how long keys are used unasked, how often an unknown key or a failure makes us ask again, and how long known
 * keys outlive an issuer that does not answer. */
export const rotation = { fresh: 600, cooldown: 30, stale: 3_600 } as const;

const largest = 1024 * 1024;
const timeout = 5_000;

export function openKeySource(issuer: Issuer, around: Surroundings): KeySource {
  return issuer.jwks ? fileKeys(issuer.jwks.file, issuer.name) : discoveredKeys(issuer, around);
}

function fileKeys(path: string, name: string): KeySource {
  let seen = '';
  let set: KeySet | undefined;
  return {
    async keys() {
      try {
        const { mtimeMs, ctimeMs, size, ino } = await stat(path);
        const mark = `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
        if (!set || mark !== seen) {
          set = keySet(JSON.parse(await readFile(path, 'utf8')));
          seen = mark;
        }
        return set;
      } catch (cause) {
        set = undefined;
        throw unreadable(name, cause);
      }
    },
  };
}

function discoveredKeys({ issuer, name }: Issuer, { now, fetch }: Surroundings): KeySource {
  let set: KeySet | undefined;
  let text = '';
  let readAt = Number.NEGATIVE_INFINITY;
  let askedAt = Number.NEGATIVE_INFINITY;
  let failure: unknown;
  let asking: Promise<void> | undefined;

  const ask = async () => {
    askedAt = now();
    try {
      const found = await discover(issuer, fetch);
      // Equal keys keep their set, and with it every token that was verified.
      if (!set || found !== text) set = keySet(JSON.parse(found));
      text = found;
      readAt = now();
      failure = undefined;
    } catch (cause) {
      failure = cause;
    } finally {
      asking = undefined;
    }
  };

  return {
    async keys(unknown = false) {
      const since = (moment: number) => (now() - moment) / 1_000;
      const wanted = unknown || since(readAt) >= rotation.fresh;
      if (asking) await asking;
      else if (wanted && since(askedAt) >= rotation.cooldown) await (asking = ask());
      if (!set || since(readAt) >= rotation.stale) throw unreadable(name, failure);
      return set;
    },
  };
}

/** The key set's text, found by OpenID Connect Discovery 1.0 §4. */
async function discover(issuer: string, fetch: Surroundings['fetch']): Promise<string> {
  const document: unknown = JSON.parse(
    await download(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, issuer, fetch),
  );
  const { issuer: named, jwks_uri: address } = (document ?? {}) as Record<string, unknown>;
  // §4.3: another name here would let one issuer speak for another.
  if (named !== issuer) throw new Error('the discovery document names another issuer');
  if (typeof address !== 'string') throw new Error('the discovery document has no jwks_uri');
  return download(address, issuer, fetch);
}

async function download(address: string, issuer: string, fetch: Surroundings['fetch']): Promise<string> {
  if (!mayFetch(address, issuer)) throw new Error('keys are fetched by https only');
  const response = await fetch(address, {
    redirect: 'error',
    signal: AbortSignal.timeout(timeout),
    headers: { accept: 'application/json' },
  });
  if (response.status !== 200 || !response.body) throw new Error(`status ${response.status}`);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body) {
    bytes += part.length;
    if (bytes > largest) throw new Error(`longer than ${largest} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** https; or http on loopback, when the issuer itself is one on loopback. */
function mayFetch(address: string, issuer: string): boolean {
  const { protocol, hostname } = new URL(address);
  if (protocol === 'https:') return true;
  return (
    protocol === 'http:' &&
    new URL(issuer).protocol === 'http:' &&
    /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname)
  );
}

function keySet(json: unknown): KeySet {
  // Only keys for signatures with a public half: a shared secret in a public set could verify what anyone signed.
  const keys = (json as Partial<JSONWebKeySet> | null)?.keys;
  if (!Array.isArray(keys)) throw new Error('not a JSON Web Key Set');
  const usable = keys.filter((key) => key !== null && typeof key === 'object' && key.kty !== 'oct');
  if (usable.length === 0) throw new Error('no public key in the set');
  return { find: createLocalJWKSet({ keys: usable }) };
}

function unreadable(name: string, cause: unknown): Fault {
  return new Fault(
    'sign-in.issuer',
    `The keys of issuer ${name} cannot be read, so its tokens cannot be checked. Try again; if it stays, tell the operator.`,
    cause,
  );
}
