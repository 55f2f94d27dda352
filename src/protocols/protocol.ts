import type { Link } from '../domain/link.ts';
import type { Denial, Holding, Permit } from '../domain/permit.ts';
import type { Claimed, Principal } from '../domain/principal.ts';
import type { Unkept } from '../domain/recording-rule.ts';
import type { Meaning, Outcome, Statement } from '../domain/statement.ts';
import type { Target } from '../domain/target.ts';

/** The seam: all that a protocol sees of the gateway, and all that the gateway sees of a protocol. */
export interface Protocol {
  readonly name: string;
  /** Serves one client from its first byte to its last. Resolves when both sides are closed; never rejects. */
  serve(client: Link, gateway: Gateway): Promise<void>;
}

export interface Gateway {
  /** MUST be called before anything is dialled. Throws a Fault when the credential is not verified or the target unknown. */
  signIn(credential: Credential, wish: Wish, link: Link): Promise<Session>;
  /** Maps a cancel request to a live session of this process, and to no other. */
  readonly cancels: CancelRegistry;
}

/** A token; or the certificate that TLS brought with the link; or nothing, which is refused and recorded. */
export type Credential = string | { readonly by: 'certificate' } | undefined;

export interface Wish {
  /** What the client named: a target, and a database of it or `undefined` for the target's default. */
  readonly target: string;
  readonly database?: string;
  readonly claimed: Claimed;
}

export interface CancelRegistry {
  /** Registers a session's own cancel key; returns what removes it. */
  add(key: string, cancel: () => void): () => void;
  find(key: string): (() => void) | undefined;
}

export interface Session {
  readonly id: string;
  readonly principal: Principal;
  readonly target: Target;
  readonly database: string;
  /** Aborted when the session must end now: killed, expired, gateway stopping. `reason` is a Fault. */
  readonly ended: AbortSignal;
  /**
   * Resolves only once the decision is durable at the target's ack level. A hold waits here: `held` is told at once;
   * aborting `signal` withdraws the request. Calls may overlap; they are recorded in the order of the calls.
   * Rejects with a Fault when the ledger cannot take the decision: then nothing may be sent.
   */
  submit(statement: Statement, wait?: Wait): Promise<Permit | Denial>;
  /** What the policy would say now, without recording or waiting; `deny` here is final for this meaning. */
  preview(meaning: Meaning): 'permit' | 'hold' | 'deny';
  /** The only way to reach the target. Throws a Fault on a forged permit or an unreachable target. */
  dial(permit: Permit): Promise<TargetLink>;
  /**
   * Which process of the target serves the session, once it is ready. Resolves when that is durable: the target's own log can be
   * joined from the first statement on (docs/reconcile.md). MUST be awaited before anything but `connect` is submitted.
   */
  reached(backend: Backend): Promise<void>;
  /**
   * How to stop what runs at the target once this session is cut off: closing the link alone would let it finish. Asked in that
   * turn, so that it knows what runs; what it gives back gets a link of its own for that, and nothing for when nothing runs.
   */
  onCut(stop: () => Interrupt | undefined): void;
  /** What came back. Called exactly once for each permit that was not `connect`. */
  settle(permit: Permit, outcome: Outcome): void;
  /** Keeps what the client saw or sent, already masked. The bytes are copied. */
  record(side: 'client' | 'target', bytes: Uint8Array): void;
  /** What the target's recording rule leaves out of a result, told where it would have stood. */
  recordUnkept(of: Unkept): void;
  /** Ends the session's record. Idempotent. */
  close(cause: string): Promise<void>;
}

/** Tells the target, on a link of its own, to give up what a session was running. Ends the link itself, in bounded time. */
export type Interrupt = (dial: () => Promise<TargetLink>) => Promise<void>;

/** What the target's own records call a connection of ours. */
export interface Backend {
  /** Id of the process at the target, where the target tells one. */
  readonly pid?: number;
  /** Our end of the link, `address:port`. */
  readonly local?: string;
  /** The target's version, in its own words. */
  readonly version?: string;
}

export interface Wait {
  readonly signal?: AbortSignal;
  held?(holding: Holding): void;
}

export interface TargetLink {
  /** The target-side credential; it never leaves the protocol's login code. */
  readonly credential: TargetCredential;
  readonly secure: boolean;
  /** tls-server-end-point channel binding data (RFC 5929), where TLS is up. */
  readonly endpoint?: Buffer;
  /** Our end of the link, `address:port`. */
  readonly local?: string;
  open(sink: { data(chunk: Buffer): void; end(error?: Error): void; drain(): void }): void;
  /** Throws a Fault unless the permit was minted by this process for this session. */
  send(bytes: Uint8Array, permit: Permit): boolean;
  /** Switches to TLS after the protocol's own negotiation, verifying as the target's configuration demands. */
  secureNow(permit: Permit, options?: { alpn?: string }): Promise<void>;
  pause(): void;
  resume(): void;
  end(): void;
  destroy(): void;
}

export interface TargetCredential {
  readonly user: string;
  password(): Promise<string | undefined>;
  readonly tls: 'disable' | 'require' | 'verify-ca' | 'verify-full';
}
