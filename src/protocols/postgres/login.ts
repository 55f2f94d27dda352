// Logs in to a target over its link: does what login-steps.ts says, within a deadline, and hands the link on.
import { pbkdf2, randomBytes } from 'node:crypto';
import { Fault } from '../../domain/fault.ts';
import type { Permit } from '../../domain/permit.ts';
import type { Backend, TargetLink } from '../protocol.ts';
import { targetPeer } from './codec.ts';
import { found, Framer } from './codec-framer.ts';
import { Login, type LoginResult, type LoginStep } from './login-steps.ts';

/** Longest message that a target may send before we are logged in. */
const longestMessage = 64 * 1024;

export interface LoginOptions {
  readonly database: string;
  /** Start-up parameters to pass on; `user`, `database`, `options`, `replication` and encodings are not among them. */
  readonly parameters?: ReadonlyMap<string, string>;
  /** Allow a password in the clear without TLS. Default false. */
  readonly cleartextPassword?: boolean;
  /** Milliseconds for all of it. Default 30,000. */
  readonly deadlineMs?: number;
  /** Gives up with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface LoggedIn extends LoginResult {
  /** In place of the link's own `open`, once: what the target said behind its login comes first. */
  open(sink: Parameters<TargetLink['open']>[0]): void;
}

/** A target's link as logging in sees it: whoever made it has already settled what each send must show. */
export interface LoginLink
  extends Pick<TargetLink, 'credential' | 'endpoint' | 'local' | 'open' | 'pause' | 'resume' | 'destroy'> {
  send(bytes: Uint8Array): boolean;
  secureNow(options: { alpn?: string }): Promise<void>;
}

/** Logs a session in to its target; every byte is sent under `permit`. See `loginOver`. */
export function login(link: TargetLink, permit: Permit, options: LoginOptions): Promise<LoggedIn> {
  return loginOver(
    {
      credential: link.credential,
      local: link.local,
      get endpoint() {
        return link.endpoint;
      },
      open: (sink) => link.open(sink),
      send: (bytes) => link.send(bytes, permit),
      secureNow: (wish) => link.secureNow(permit, wish),
      pause: () => link.pause(),
      resume: () => link.resume(),
      destroy: () => link.destroy(),
    },
    options,
  );
}

/** What the target's own records will call this connection. */
export function backendOf(logged: LoginResult, local: string | undefined): Backend {
  return { pid: logged.key?.pid, local, version: logged.parameters.get('server_version') };
}

/**
 * Resolves when the target is ready for a first statement. Rejects with Fault target.refused (its own SQLSTATE is in the
 * cause), target.protocol, target.unreachable or the signal's reason; the link is then destroyed.
 */
export function loginOver(link: LoginLink, options: LoginOptions): Promise<LoggedIn> {
  const { user, tls } = link.credential;
  return new Promise((resolve, reject) => {
    const steps = new Login({
      user,
      database: options.database,
      parameters: options.parameters ?? new Map(),
      tls,
      cleartextPassword: options.cleartextPassword ?? false,
      nonce: randomBytes(24).toString('base64'),
    });
    const framer = new Framer({ peer: targetPeer, limit: longestMessage });
    let phase: 'tls' | 'busy' | 'messages' | 'over' = tls === 'disable' ? 'messages' : 'tls';
    let sink: Parameters<TargetLink['open']>[0] | undefined;
    let ended: { error?: Error } | undefined;
    let rest: Buffer = Buffer.alloc(0);

    const stop = (): void => {
      phase = 'over';
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', aborted);
    };
    const fail = (error: unknown): void => {
      if (phase === 'over') return;
      stop();
      link.destroy();
      reject(error);
    };
    const aborted = (): void => fail(options.signal?.reason);
    const timer = setTimeout(
      () => fail(new Fault('target.unreachable', 'The target did not complete its login in time.')),
      options.deadlineMs ?? 30_000,
    );

    /** Does a step that needs time; until it is done, what the target sends is kept. */
    const later = async (work: () => Promise<LoginStep>): Promise<void> => {
      phase = 'busy';
      framer.keep();
      try {
        const step = await work();
        if (phase !== 'busy') return;
        phase = 'messages';
        perform(step);
        pump();
      } catch (error) {
        fail(error);
      }
    };
    const perform = (step: LoginStep): void => {
      switch (step.do) {
        case 'wait':
          return;
        case 'send':
          link.send(step.bytes);
          return;
        case 'secure':
          return void later(async () => {
            await link.secureNow({ alpn: 'postgresql' });
            return steps.secured(link.endpoint);
          });
        case 'password':
          return void later(async () => steps.password(await link.credential.password()));
        case 'derive':
          return void later(async () => steps.derived(await derive(step.password, step.salt, step.iterations)));
        case 'done':
          return finish(step.result);
      }
    };
    const finish = (result: LoginResult): void => {
      stop();
      link.pause();
      rest = framer.rest();
      resolve({
        ...result,
        open(next) {
          sink = next;
          if (rest.length > 0) next.data(rest);
          if (ended) next.end(ended.error);
          else link.resume();
        },
      });
    };
    const pump = (): void => {
      while (phase === 'messages' && framer.next() === found.message) {
        perform(steps.message(framer.type, framer.buffer, framer.start, framer.end));
      }
    };
    const receive = (chunk: Buffer): void => {
      if (phase === 'tls') {
        perform(steps.answered(chunk[0] as number, chunk.length - 1));
        return;
      }
      if (framer.pending + chunk.length > 4 * longestMessage) {
        throw new Fault('target.protocol', 'The target sent too much before its login was over.');
      }
      framer.push(chunk);
      if (phase === 'busy') framer.keep();
      pump();
    };

    options.signal?.addEventListener('abort', aborted);
    link.open({
      data(chunk) {
        if (sink) return sink.data(chunk);
        if (phase === 'over') {
          rest = Buffer.concat([rest, chunk]);
          return;
        }
        try {
          receive(chunk);
        } catch (error) {
          fail(error);
        }
      },
      drain: () => sink?.drain(),
      end(error) {
        if (sink) return sink.end(error);
        ended = error ? { error } : {};
        fail(new Fault('target.unreachable', 'The target closed the connection during its login.', error));
      },
    });
    if (options.signal?.aborted) return aborted();
    try {
      perform(steps.begin());
    } catch (error) {
      fail(error);
    }
  });
}

function derive(password: string, salt: Buffer, iterations: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    pbkdf2(password, salt, iterations, 32, 'sha256', (error, key) => (error ? reject(error) : resolve(key)));
  });
}
