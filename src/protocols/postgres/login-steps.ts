// Logging in to a target, as a function of what it says: each input gives the next thing to do (manual, "Start-up").
import { hash } from 'node:crypto';
import { Fault } from '../../domain/fault.ts';
import { targetMessage } from './codec.ts';
import {
  type Authentication,
  decodeAuthentication,
  encodePassword,
  encodeSaslInitial,
  encodeSaslResponse,
} from './codec-authentication.ts';
import { decodeReport } from './codec-report.ts';
import { type CancelKey, encodeSslRequest, encodeStartup } from './codec-startup.ts';
import {
  decodeBackendKeyData,
  decodeParameterStatus,
  decodeReadyForQuery,
  type TransactionStatus,
} from './codec-status.ts';
import { Writer } from './codec-writer.ts';
import {
  checkServer,
  preparePassword,
  proveScram,
  readChallenge,
  type ScramChallenge,
  type ScramProof,
  type ScramStart,
  startScram,
} from './scram.ts';

export interface LoginWish {
  readonly user: string;
  readonly database: string;
  /** Start-up parameters beside those that the gateway sets itself. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly tls: 'disable' | 'require' | 'verify-ca' | 'verify-full';
  /** Let a target that asks for the password itself have it without TLS. */
  readonly cleartextPassword: boolean;
  /** For SCRAM: fresh random base64. */
  readonly nonce: string;
}

export type LoginStep =
  | { readonly do: 'wait' }
  | { readonly do: 'send'; readonly bytes: Buffer }
  /** Turn the link to TLS, then tell `secured`. */
  | { readonly do: 'secure' }
  /** Fetch the password, then tell `password`. */
  | { readonly do: 'password' }
  /** Derive PBKDF2-HMAC-SHA-256, 32 bytes, then tell `derived`. */
  | { readonly do: 'derive'; readonly password: string; readonly salt: Buffer; readonly iterations: number }
  | { readonly do: 'done'; readonly result: LoginResult };

export interface LoginResult {
  /** The server's own settings, as it reported them. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Absent where the target gives none, as some poolers do. */
  readonly key: CancelKey | undefined;
  readonly status: TransactionStatus;
}

/** What the gateway's reading of SQL depends on. */
const fixed: ReadonlyMap<string, string> = new Map([
  ['client_encoding', 'UTF8'],
  ['standard_conforming_strings', 'on'],
]);
const reserved = /^(?:user|database|replication|options|client_encoding|standard_conforming_strings|_pq_\..*)$/;
const wait: LoginStep = { do: 'wait' };
const mostParameters = 200;

export class Login {
  readonly #wish: LoginWish;
  readonly #parameters = new Map<string, string>();
  #key: CancelKey | undefined;
  #asked: Authentication | undefined;
  #scram: { start: ScramStart; challenge?: ScramChallenge; proof?: ScramProof; verified?: boolean } | undefined;
  #secure = false;
  #endpoint: Buffer | undefined;
  #accepted = false;

  constructor(wish: LoginWish) {
    for (const name of wish.parameters.keys()) {
      if (reserved.test(name))
        throw new Fault('gateway.internal', `The start-up parameter ${name} is the gateway's to set.`);
    }
    this.#wish = wish;
  }

  begin(): LoginStep {
    if (this.#wish.tls === 'disable') return this.#startup();
    const writer = new Writer();
    encodeSslRequest(writer);
    return { do: 'send', bytes: writer.take() };
  }

  /** The one byte that answers SSLRequest; `more` is how many came behind it. */
  answered(byte: number, more: number): LoginStep {
    // Bytes in the clear behind the answer would be taken for the target's own once TLS is up (CVE-2021-23222).
    if (byte === 0x53 && more > 0) throw new Fault('target.protocol', 'The target sent bytes in the clear before TLS.');
    if (byte === 0x53) return { do: 'secure' };
    if (byte === 0x4e) throw refused('does not offer TLS, which its configuration in the gateway demands');
    throw refused('did not answer the request for TLS');
  }

  secured(endpoint: Buffer | undefined): LoginStep {
    this.#secure = true;
    this.#endpoint = endpoint;
    return this.#startup();
  }

  password(password: string | undefined): LoginStep {
    const asked = this.#asked;
    if (password === undefined || password === '') throw refused('asks for a password and the gateway has none for it');
    const writer = new Writer();
    if (asked?.kind === 'cleartext') encodePassword(writer, password);
    else if (asked?.kind === 'md5') encodePassword(writer, md5(password, this.#wish.user, asked.salt));
    else if (asked?.kind === 'sasl-continue' && this.#scram?.challenge) {
      const { salt, iterations } = this.#scram.challenge;
      return { do: 'derive', password: preparePassword(password), salt, iterations };
    } else throw new Fault('gateway.internal', 'A password was given that nobody had asked for.');
    return { do: 'send', bytes: writer.take() };
  }

  derived(salted: Buffer): LoginStep {
    const scram = this.#scram;
    if (!scram?.challenge) throw new Fault('gateway.internal', 'A key was derived that nobody had asked for.');
    scram.proof = proveScram(scram.start, scram.challenge, salted);
    const writer = new Writer();
    encodeSaslResponse(writer, scram.proof.final);
    return { do: 'send', bytes: writer.take() };
  }

  /** One whole message of the target in `buffer[start, end)`. */
  message(type: number, buffer: Buffer, start: number, end: number): LoginStep {
    switch (type) {
      case targetMessage.authentication:
        return this.#authentication(decodeAuthentication(buffer, start, end));
      case targetMessage.errorResponse: {
        const report = decodeReport(buffer, start, end);
        const state = report.get('C') ?? '?????';
        const cause = Object.assign(new Error(report.get('M') ?? ''), { sqlstate: state });
        throw refused(
          `refused the gateway's login with SQLSTATE ${/^[0-9A-Z]{5}$/.test(state) ? state : '?????'}`,
          cause,
        );
      }
      case targetMessage.noticeResponse:
      case targetMessage.negotiateProtocolVersion:
        return wait;
    }
    if (!this.#accepted) return this.#unexpected();
    switch (type) {
      case targetMessage.parameterStatus: {
        const [name, value] = decodeParameterStatus(buffer, start, end);
        this.#parameters.set(name, value);
        return this.#parameters.size > mostParameters ? this.#unexpected() : wait;
      }
      case targetMessage.backendKeyData:
        this.#key = decodeBackendKeyData(buffer, start, end);
        return wait;
      case targetMessage.readyForQuery:
        return this.#ready(decodeReadyForQuery(buffer, start, end));
    }
    return this.#unexpected();
  }

  #authentication(request: Authentication): LoginStep {
    if (this.#accepted) return this.#unexpected();
    const before = this.#asked;
    this.#asked = request;
    switch (request.kind) {
      case 'ok':
        // A server that stops in the middle of SCRAM has not shown that it knows the password.
        if (this.#scram && !this.#scram.verified) return this.#unexpected();
        this.#accepted = true;
        return wait;
      case 'cleartext':
        if (before) return this.#unexpected();
        if (!this.#secure && !this.#wish.cleartextPassword) {
          throw refused('asks for the password in the clear; give it TLS, or scram-sha-256 in its pg_hba.conf');
        }
        return { do: 'password' };
      case 'md5':
        return before ? this.#unexpected() : { do: 'password' };
      case 'sasl': {
        if (before) return this.#unexpected();
        const { mechanisms } = request;
        const start = startScram({
          mechanisms,
          secure: this.#secure,
          endpoint: this.#endpoint,
          nonce: this.#wish.nonce,
        });
        if (!start) throw refused('offers no SASL mechanism that the gateway speaks; it needs scram-sha-256');
        this.#scram = { start };
        const writer = new Writer();
        encodeSaslInitial(writer, { mechanism: start.mechanism, data: start.first });
        return { do: 'send', bytes: writer.take() };
      }
      case 'sasl-continue':
        if (before?.kind !== 'sasl' || !this.#scram) return this.#unexpected();
        this.#scram.challenge = readChallenge(this.#scram.start, request.data);
        return { do: 'password' };
      case 'sasl-final':
        if (before?.kind !== 'sasl-continue' || !this.#scram?.proof) return this.#unexpected();
        checkServer(this.#scram.proof, request.data);
        this.#scram.verified = true;
        return wait;
      case 'other':
        throw refused(`asks for authentication method ${request.code}, which the gateway does not speak`);
    }
  }

  #ready(status: TransactionStatus): LoginStep {
    for (const [name, value] of fixed) {
      const reported = this.#parameters.get(name);
      if (reported?.toLowerCase() !== value.toLowerCase()) throw refused(`did not take ${name} = ${value}`);
    }
    return { do: 'done', result: { parameters: this.#parameters, key: this.#key, status } };
  }

  #startup(): LoginStep {
    const { user, database, parameters } = this.#wish;
    const writer = new Writer();
    encodeStartup(writer, [['user', user], ['database', database], ...parameters, ...fixed]);
    return { do: 'send', bytes: writer.take() };
  }

  #unexpected(): never {
    throw new Fault('target.protocol', 'The target sent a message that does not belong into its login.');
  }
}

function refused(what: string, cause?: unknown): Fault {
  return new Fault('target.refused', `The target ${what}.`, cause);
}

function md5(password: string, user: string, salt: Buffer): string {
  const inner = hash('md5', password + user, 'hex');
  return `md5${hash('md5', Buffer.concat([Buffer.from(inner, 'latin1'), salt]), 'hex')}`;
}
