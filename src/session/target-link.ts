// The raw stream to a target, wrapped so that nothing leaves without a permit of its session (guarantee 1).
import { Fault } from '../domain/fault.ts';
import type { Permit } from '../domain/permit.ts';
import type { TargetCredential, TargetLink } from '../protocols/protocol.ts';
import { demandPermit, type Owner } from './permit.ts';

/** What dialling gives: bytes both ways and TLS on demand, verified as the target's configuration says. */
export interface TargetStream {
  readonly secure: boolean;
  /** tls-server-end-point channel binding data (RFC 5929), where TLS is up. */
  readonly endpoint?: Buffer;
  open(sink: { data(chunk: Buffer): void; end(error?: Error): void; drain(): void }): void;
  /** False when the target is slow: wait for `drain`. */
  write(bytes: Uint8Array): boolean;
  startTls(options?: { alpn?: string }): Promise<void>;
  pause(): void;
  resume(): void;
  end(): void;
  destroy(): void;
}

/** Once `ended` is aborted nothing is sent any more: what a killed session still wants to say is dropped. */
export function guardTarget(stream: TargetStream, owner: Owner, credential: TargetCredential, ended: AbortSignal): TargetLink {
  return {
    credential,
    get secure() {
      return stream.secure;
    },
    get endpoint() {
      return stream.endpoint;
    },
    open: (sink) => stream.open(sink),
    send(bytes, permit) {
      demandPermit(owner, permit);
      return ended.aborted ? true : stream.write(bytes);
    },
    async secureNow(permit: Permit, options) {
      demandPermit(owner, permit);
      if (ended.aborted) throw ended.reason instanceof Fault ? ended.reason : new Fault('session.killed', 'The session has ended.');
      await stream.startTls(options);
    },
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    end: () => stream.end(),
    destroy: () => stream.destroy(),
  };
}
