// The gateway as a process: from the first signal handler to the exit.
import type { Config } from '../config/config.ts';
import { Fault } from '../domain/fault.ts';
import { serve } from './serve.ts';

/** Serves until the process is told to stop, in order; a second signal ends it at once. Rejects when a witness stopped it. */
export async function serveUntilStopped(config: Config): Promise<void> {
  let asked = false;
  // Listened to from the beginning: a signal during the start, or right behind it, is an orderly stop too.
  const told = new Promise<string>((resolve) => {
    const stop = (signal: string) => {
      if (asked) process.exit(130);
      asked = true;
      resolve(signal);
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    // The parent is gone; our own goodbye to it, below, is not meant.
    process.once('disconnect', () => asked || stop('SIGTERM'));
  });
  const running = await serve(config);
  // A parent that started us over an IPC channel waits for this.
  if (!asked)
    process.send?.({
      ready: true,
      listeners: running.listeners,
      console: running.consoleUrl,
      recoveryMs: running.recoveryMs,
    });
  const end = await Promise.race([told, running.halted]);
  await running.stop(end instanceof Fault ? end.message : end);
  if (process.connected) process.disconnect();
  // Everything that must last is written by now: a link that somebody forgot must not keep the process.
  setTimeout(() => process.exit(), 1_000).unref();
  if (end instanceof Fault) throw end;
}
