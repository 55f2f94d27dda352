#!/usr/bin/env node
// The command line: which commands there are. Each reads and opens only what it needs, when it runs.
import { createInterface } from 'node:readline/promises';
import { register as approvals } from '../cli/approvals.ts';
import { register as catalogue } from '../cli/catalogue.ts';
import { register as completion } from '../cli/completion.ts';
import { register as config } from '../cli/config.ts';
import { register as demo } from '../cli/demo.ts';
import { register as exports } from '../cli/exports.ts';
import { register as labels } from '../cli/labels.ts';
import { register as ledger } from '../cli/ledger.ts';
import type { Io } from '../cli/output.ts';
import { register as locks } from '../cli/locks.ts';
import { register as policy } from '../cli/policy.ts';
import { register as reconcile } from '../cli/reconcile.ts';
import { register as replay } from '../cli/replay-command.ts';
import { register as retention } from '../cli/retention.ts';
import { run } from '../cli/run.ts';
import { register as serve } from '../cli/serve.ts';
import { register as sessions } from '../cli/sessions.ts';
import { register as verify } from '../cli/verify.ts';
import { register as witness } from '../cli/witness.ts';
import { version } from './version.ts';

const io: Io = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  now: Date.now,
  async ask(question) {
    if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return await terminal.question(question);
    } finally {
      terminal.close();
    }
  },
};

// Without a terminal at both ends nobody presses keys.
const keys: Io['keys'] = (pressed) => {
  const { stdin } = process;
  stdin.setRawMode(true).setEncoding('utf8').on('data', pressed).resume();
  return () => void stdin.off('data', pressed).setRawMode(false).pause();
};

// `countersign … | head` closes the pipe early; that is not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const commands = [
  serve,
  demo,
  sessions,
  replay,
  approvals,
  locks,
  config,
  labels,
  policy,
  catalogue,
  ledger,
  exports,
  retention,
  verify,
  reconcile,
  witness,
  completion,
];
process.exitCode = await run(process.argv.slice(2), { version, commands }, process.stdin.isTTY ? { ...io, keys } : io);
