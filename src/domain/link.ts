/**
 * One byte stream to a peer, already connected. Reads are pushed: the chunk handed to `data` is valid only during the
 * call, so what must survive is copied. Writes are gathered and leave once per turn.
 */
export interface Link {
  readonly secure: boolean;
  readonly remote: string;
  /** Verified client certificate, where TLS brought one. */
  readonly certificate?: { readonly fingerprint256: string; readonly subject: string };
  /** Called once. `data` chunks are never empty; `end` is called exactly once, with the error if there was one. */
  open(sink: { data(chunk: Buffer): void; end(error?: Error): void; drain(): void }): void;
  /** False when the peer is slow: wait for `drain`. The bytes are owned by the link after the call. */
  write(bytes: Uint8Array): boolean;
  pause(): void;
  resume(): void;
  /** Half-closes after everything written has left. */
  end(): void;
  destroy(): void;
}
