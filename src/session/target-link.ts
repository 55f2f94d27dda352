// The raw stream to a target, wrapped so that nothing leaves without a permit of its session (guarantee 1), and so that
// neither side runs ahead of the recording (guarantee 9).
import { Fault } from '../domain/fault.ts';
import type { Permit } from '../domain/permit.ts';
import type { Target } from '../domain/target.ts';
import type { TargetCredential, TargetLink } from '../protocols/protocol.ts';
import type { TargetStream, TargetTls } from '../targets/dial.ts';
import { demandPermit, type Owner } from './permit.ts';

/** The part of a dialled stream that a session uses. */
export type RawStream = Pick<
  TargetStream,
  'secure' | 'endpoint' | 'local' | 'open' | 'write' | 'pause' | 'resume' | 'end' | 'destroy' | 'secureNow'
>;

export interface TargetEntry {
  readonly target: Target;
  /** Databases that may be named; only the target's default where absent. */
  readonly databases?: readonly string[];
  readonly credential: TargetCredential;
  /** Absent where configuration disables TLS to the target. */
  readonly tls?: TargetTls;
  /** Every label that some column of the target carries. */
  readonly labels: readonly string[];
  dial(): Promise<RawStream>;
}

export interface GuardOptions {
  readonly owner: Owner;
  readonly credential: TargetCredential;
  /** Absent where configuration disables TLS. */
  readonly tls?: TargetTls;
  /** Once aborted nothing is sent any more: what a killed session still wants to say is dropped. */
  readonly ended: AbortSignal;
  /** The stream is over. */
  closed(): void;
}

export interface GuardedTarget extends TargetLink {
  /** The recording cannot keep up: reading pauses and sends report a slow peer, until it is let go. */
  holdBack(on: boolean): void;
}

export function guardTarget(stream: RawStream, { owner, credential, tls, ended, closed }: GuardOptions): GuardedTarget {
  let sink: Parameters<TargetLink['open']>[0] | undefined;
  let held = false;
  let paused = false;
  return {
    credential,
    get secure() {
      return stream.secure;
    },
    get endpoint() {
      return stream.endpoint;
    },
    local: stream.local,
    open(to) {
      sink = to;
      stream.open({
        data: (chunk) => to.data(chunk),
        end(error) {
          closed();
          to.end(error);
        },
        drain: () => to.drain(),
      });
    },
    send(bytes, permit) {
      demandPermit(owner, permit);
      return ended.aborted ? true : stream.write(bytes) && !held;
    },
    async secureNow(permit: Permit, options) {
      demandPermit(owner, permit);
      if (ended.aborted) throw ended.reason;
      if (!tls) throw new Fault('target.refused', 'The target is configured without TLS.');
      await stream.secureNow({ ...tls, ...options });
    },
    pause() {
      paused = true;
      stream.pause();
    },
    resume() {
      paused = false;
      if (!held) stream.resume();
    },
    end: () => stream.end(),
    destroy() {
      closed();
      stream.destroy();
    },
    holdBack(on) {
      if (on === held) return;
      held = on;
      if (on) stream.pause();
      else {
        if (!paused) stream.resume();
        sink?.drain();
      }
    },
  };
}
