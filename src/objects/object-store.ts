// What we ask of an object store, and how it fails (ADR: docs/adr, "object store"). s3.ts is the one that there is.

/** One version of an object. */
export interface Version {
  readonly key: string;
  readonly version: string;
  readonly size: number;
  /** Hex MD5 of the content where the store gives one, else anything. */
  readonly etag: string;
  /** Milliseconds since the epoch. */
  readonly modified: number;
  /** Whoever asks without a version gets this one. */
  readonly latest: boolean;
  /** Not content, but the mark of a deletion: the versions below it are still there. */
  readonly marker: boolean;
}

export interface PutOptions {
  /** Nobody may delete it before; milliseconds since the epoch. */
  readonly retainUntil?: number;
  /** Refused (`exists`) when there is such an object. Only for stores that know conditional writes. */
  readonly onlyNew?: boolean;
}

export interface Retention {
  readonly mode: 'COMPLIANCE' | 'GOVERNANCE';
  /** Milliseconds since the epoch. */
  readonly until: number;
}

export interface ObjectStore {
  /** `s3://bucket/prefix`, for messages. */
  readonly name: string;
  /** Writes an object whole; its content is covered by the signature and checked by the store. Resolves with the version. */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<string>;
  /** Writes an object in pieces as they come, for what is too large to be held. Each piece but the last has 5 MiB or more. */
  putPieces(key: string, pieces: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<string>;
  /** Its content, whole; undefined when there is none. */
  get(key: string, version?: string): Promise<Buffer | undefined>;
  /** Its content as it comes. */
  read(key: string, version?: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** All versions below a prefix, by key, the newest of a key first; `after` leaves out the keys up to it. */
  versions(prefix: string, after?: string): AsyncIterable<Version>;
  /** The settings that protect what is in it. */
  settings(): Promise<{ readonly versioning: boolean; readonly lock: boolean; readonly defaultRetention?: string }>;
  retention(key: string, version: string): Promise<Retention | undefined>;
  /** Attempts that a locked bucket refuses; they resolve when it did not. `bypass` claims the right to override governance mode. */
  deleteVersion(key: string, version: string, bypass: boolean): Promise<void>;
  setRetention(key: string, version: string, retention: Retention, bypass: boolean): Promise<void>;
}

/** Why something was not done. `refused` is the store's own word; everything else may pass by itself. */
export type ObjectFaultKind = 'unreachable' | 'slow' | 'refused' | 'exists' | 'missing' | 'failing' | 'garbled';

export class ObjectFault extends Error {
  readonly kind: ObjectFaultKind;
  /** The store's code, such as `SlowDown`, or the system's, such as `ECONNREFUSED`. */
  readonly code: string;
  constructor(kind: ObjectFaultKind, code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ObjectFault';
    this.kind = kind;
    this.code = code;
  }
}

/** What is there is not what we put there: somebody else writes in this place, or this log was rolled back. */
export class Conflict extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Conflict';
  }
}
