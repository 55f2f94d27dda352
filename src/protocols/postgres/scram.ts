// The client side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677), with tls-server-end-point binding.
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { Fault } from '../../domain/fault.ts';

/** More rounds than this are a target's mistake or its attack on our processor; PostgreSQL's default is 4,096. */
export const mostIterations = 1_000_000;

export interface ScramOffer {
  readonly mechanisms: readonly string[];
  readonly secure: boolean;
  /** Hash of the target's certificate, where TLS gave one. */
  readonly endpoint: Buffer | undefined;
  /** Fresh random text, at least 18 bytes in base64. */
  readonly nonce: string;
}

/** What the first message settled. */
export interface ScramStart {
  readonly mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-256-PLUS';
  readonly first: Buffer;
  readonly nonce: string;
  readonly bare: string;
  /** GS2 header and binding data, base64, as the final message repeats them. */
  readonly binding: string;
}

/** Chooses the mechanism and says what we could have done, so that a man in the middle who hides PLUS is found out. */
export function startScram(offer: ScramOffer): ScramStart | undefined {
  const plus = offer.mechanisms.includes('SCRAM-SHA-256-PLUS');
  const binding = offer.secure ? offer.endpoint : undefined;
  const bound = plus && binding !== undefined;
  if (!bound && !offer.mechanisms.includes('SCRAM-SHA-256')) return undefined;
  // RFC 5802 §6: "y" means "I could bind and you did not offer it"; the server refuses it when it did offer.
  const flag = bound ? 'p=tls-server-end-point' : binding !== undefined ? 'y' : 'n';
  const header = Buffer.from(`${flag},,`, 'latin1');
  // PostgreSQL takes the name from the start-up message and leaves this one empty.
  const bare = `n=,r=${offer.nonce}`;
  return {
    mechanism: bound ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256',
    first: Buffer.concat([header, Buffer.from(bare, 'latin1')]),
    nonce: offer.nonce,
    bare,
    binding: (bound ? Buffer.concat([header, binding]) : header).toString('base64'),
  };
}

export interface ScramChallenge {
  readonly text: string;
  readonly nonce: string;
  readonly salt: Buffer;
  readonly iterations: number;
}

/** Reads server-first-message. Throws Fault target.protocol for a nonce that is not ours, or rounds beyond the limit. */
export function readChallenge(start: ScramStart, data: Buffer): ScramChallenge {
  const text = data.toString('latin1');
  const match = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/]+={0,2}),i=([1-9]\d{0,8})(?:,|$)/.exec(text);
  const [, nonce = '', salt = '', rounds = ''] = match ?? [];
  const iterations = Number(rounds);
  if (!match || !nonce.startsWith(start.nonce) || nonce.length === start.nonce.length || iterations > mostIterations) {
    throw new Fault('target.protocol', 'The target sent a SCRAM challenge that cannot be right.');
  }
  return { text, nonce, salt: Buffer.from(salt, 'base64'), iterations };
}

export interface ScramProof {
  readonly final: Buffer;
  /** What the server must prove in turn. */
  readonly signature: Buffer;
}

/** Makes client-final-message from the salted password (PBKDF2-HMAC-SHA-256 of the prepared password, 32 bytes). */
export function proveScram(start: ScramStart, challenge: ScramChallenge, salted: Buffer): ScramProof {
  const unproved = `c=${start.binding},r=${challenge.nonce}`;
  const exchange = `${start.bare},${challenge.text},${unproved}`;
  const clientKey = hmac(salted, 'Client Key');
  const clientSignature = hmac(hash('sha256', clientKey, 'buffer'), exchange);
  const proof = Buffer.alloc(clientKey.length);
  for (let index = 0; index < proof.length; index++) {
    proof[index] = (clientKey[index] as number) ^ (clientSignature[index] as number);
  }
  return {
    final: Buffer.from(`${unproved},p=${proof.toString('base64')}`, 'latin1'),
    signature: hmac(hmac(salted, 'Server Key'), exchange),
  };
}

/** Throws Fault target.protocol unless the server knows the password too. */
export function checkServer(proof: ScramProof, data: Buffer): void {
  const given = /^v=([A-Za-z0-9+/]+={0,2})(?:,|$)/.exec(data.toString('latin1'))?.[1];
  const signature = Buffer.from(given ?? '', 'base64');
  if (signature.length !== proof.signature.length || !timingSafeEqual(signature, proof.signature)) {
    throw new Fault(
      'target.protocol',
      'The target could not prove that it knows the password; it may not be the target.',
    );
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'latin1').digest();
}

/** SASLprep (RFC 4013) as PostgreSQL applies it: what may not be prepared is used as it is. */
export function preparePassword(password: string): string {
  if (/^[\x20-\x7e]*$/.test(password)) return password;
  const mapped = password
    .replace(/[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g, ' ')
    .replace(/[\u00ad\u034f\u1806\u180b-\u180d\u200c\u200d\u2060\ufe00-\ufe0f\ufeff]/g, '')
    .normalize('NFKC');
  return mapped === '' || /[\p{Cc}\p{Co}\p{Cs}]/u.test(mapped) ? password : mapped;
}
