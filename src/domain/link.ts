/** A client's certificate, verified by TLS against the authorities of the listener when the link began. */
export interface PeerCertificate {
  /** SHA-256 of the certificate, as colon-separated hex. */
  readonly fingerprint256: string;
  readonly subject: string;
  /** DER. */
  readonly raw: Buffer;
}

/**
 * One byte stream to a peer, already connected. Reads are pushed: the chunk handed to `data` is valid only during the
 * call, so what must survive is copied. Writes are gathered and leave once per turn.
 */
export interface Link {
  readonly secure: boolean;
  readonly remote: string;
  /** Verified client certificate, where TLS brought one. */
  readonly certificate?: PeerCertificate;
  /** Why TLS did not verify the certificate that the client presented, as OpenSSL names it; never set beside `certificate`. */
  readonly certificateRefused?: string;
  /** Called once. `data` chunks are never empty; `end` is called exactly once, with the error if there was one. */
  open(sink: { data(chunk: Buffer): void; end(error?: Error): void; drain(): void }): void;
  /** False when the peer is slow: wait for `drain`. The bytes are owned by the link after the call. */
  write(bytes: Uint8Array): boolean;
  pause(): void;
  resume(): void;
  /** True when the listener lets this peer go on without TLS (loopback, and configured so). */
  readonly plaintextAllowed?: boolean;
  /**
   * Server side, present while the listener has TLS and the link does not: sends what was written, then turns this same
   * link to TLS; `secure` and `certificate` are set when it resolves, and the sink goes on. Call it in the turn that read
   * the request; the caller first refuses bytes that came behind the request (they were sent in the clear). Rejects with
   * a Fault when the handshake fails, takes too long, or the client offers ALPN without `alpn`.
   */
  startTls?(options?: { readonly alpn?: string }): Promise<void>;
  /** Tells the listener that the peer is known by now: it no longer counts as one that has not signed in. */
  signedIn?(): void;
  /** Half-closes after everything written has left. */
  end(): void;
  destroy(): void;
}
