// A receiver of events, as the exporter sees it.
import type { SecretReference } from '../targets/secret.ts';

/** One event on its way, with what envelopes repeat of it. */
export interface Outgoing {
  /** Leaf index of its entry. */
  readonly index: number;
  /** `metadata.uid`: the same whenever the same entry is sent. */
  readonly uid: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Type of the entry. */
  readonly type: string;
  readonly classUid: number;
  readonly severity: number;
  /** The event, JSON on one line. */
  readonly json: string;
}

export interface Sink {
  /** Resolves when the receiver has taken all of them; rejects when that is not known. Never called twice at once. */
  deliver(batch: readonly Outgoing[]): Promise<void>;
  close(): Promise<void>;
}

/** The receiver did not take a batch. `message` names no secret and no content. */
export class NotDelivered extends Error {
  /** A smaller batch may fit. */
  readonly tooLarge: boolean;
  constructor(message: string, options: { readonly cause?: unknown; readonly tooLarge?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'NotDelivered';
    this.tooLarge = options.tooLarge ?? false;
  }
}

interface Common {
  readonly name: string;
  /** Patterns of entry types, `*` for any part; empty for all. */
  readonly types: readonly string[];
  /** Targets whose sessions are exported; empty for all. What belongs to no session always is. */
  readonly targets: readonly string[];
  readonly statements: 'recorded' | 'digest';
  readonly from: 'beginning' | 'now';
  /** Events in one delivery. */
  readonly batch: number;
  readonly timeoutSeconds: number;
  readonly receiptSeconds: number;
}

export interface FileSinkOptions extends Common {
  readonly to: 'file';
  readonly output: { readonly file: string };
  /** Whether each delivery is synced to the disk before it counts. */
  readonly sync: boolean;
}

export interface SyslogSinkOptions extends Common {
  readonly to: 'syslog';
  readonly host: string;
  readonly port: number;
  /** Without it the stream is in the clear: loopback only. */
  readonly tls?: {
    readonly ca?: { readonly file: string };
    readonly cert?: { readonly file: string };
    readonly key?: { readonly file: string };
    readonly name?: string;
  };
  readonly facility: number;
}

export const httpFormats = ['ndjson', 'json', 'cloudevents', 'splunk', 'elastic'] as const;

export interface HttpSinkOptions extends Common {
  readonly to: 'http';
  readonly url: string;
  readonly format: (typeof httpFormats)[number];
  readonly gzip: boolean;
  readonly token?: SecretReference;
  /** Word before the token in the authorization header. */
  readonly scheme: string;
  /** Key of the signature of each delivery (Standard Webhooks). */
  readonly sign?: SecretReference;
}

export interface OtlpSinkOptions extends Common, Pick<HttpSinkOptions, 'url' | 'gzip' | 'token' | 'scheme'> {
  readonly to: 'otlp';
}

export type SinkOptions = FileSinkOptions | SyslogSinkOptions | HttpSinkOptions | OtlpSinkOptions;
