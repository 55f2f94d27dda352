// Faults and denials as PostgreSQL errors. The table is documented in docs/protocols/postgresql.md; a new fault code does not compile without an answer here.
import type { Action, Effect } from '../../domain/effect.ts';
import type { Fault, FaultCode } from '../../domain/fault.ts';
import type { Denial } from '../../domain/permit.ts';
import { encodeReport } from './codec-report.ts';
import { Writer } from './codec-writer.ts';

/** An error of our own, before it becomes bytes. */
export interface Refusal {
  readonly severity: 'ERROR' | 'FATAL';
  /** SQLSTATE. */
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
  /** Characters into the statement, from 1. */
  readonly position?: number;
}

interface Answer {
  readonly severity: 'ERROR' | 'FATAL';
  readonly code: string;
  readonly hint?: string;
}

const answers = {
  'sign-in.missing': {
    severity: 'FATAL',
    code: '28000',
    hint: 'Sign in with what this listener asks for: an OpenID Connect token, or a client certificate.',
  },
  'sign-in.invalid': { severity: 'FATAL', code: '28P01', hint: 'Get a fresh token or certificate and connect again.' },
  'sign-in.expired': { severity: 'FATAL', code: '28P01', hint: 'Get a fresh token or certificate and connect again.' },
  'sign-in.audience': {
    severity: 'FATAL',
    code: '28P01',
    hint: 'Ask the issuer for a token of the configured audience.',
  },
  'sign-in.issuer': {
    severity: 'FATAL',
    code: '28P01',
    hint: 'Use a token or certificate of an issuer that is configured here.',
  },
  'sign-in.locked': {
    severity: 'FATAL',
    code: '28000',
    hint: 'Do not try again before the lock is lifted; talk to who set it.',
  },
  'sign-in.plaintext': { severity: 'FATAL', code: '28000', hint: 'Connect with sslmode=verify-full.' },
  'target.unknown': {
    severity: 'FATAL',
    code: '3D000',
    hint: 'Use "target" or "target/database" as the database name.',
  },
  'target.unreachable': {
    severity: 'FATAL',
    code: '08006',
    hint: 'Try again later; if it stays so, tell the operator of this gateway.',
  },
  'target.refused': {
    severity: 'FATAL',
    code: '08006',
    hint: 'Tell the operator of this gateway: the target refused its sign-in.',
  },
  'target.protocol': {
    severity: 'FATAL',
    code: '08006',
    hint: 'Connect again; if it stays so, tell the operator of this gateway.',
  },
  'client.protocol': { severity: 'FATAL', code: '08P01', hint: 'Fix or update the client.' },
  'client.limit': { severity: 'FATAL', code: '54000', hint: 'Send less at once.' },
  'client.timeout': { severity: 'FATAL', code: '57014', hint: 'Connect again and sign in without delay.' },
  'statement.not-understood': { severity: 'ERROR', code: '0A000', hint: 'Change the statement as the message says.' },
  'result.withheld': {
    severity: 'ERROR',
    code: '42501',
    hint: 'Name the columns explicitly, one statement at a time; if it stays so, tell the operator of this gateway.',
  },
  'session.killed': { severity: 'FATAL', code: '57P01', hint: 'Sign in again with a fresh token if you still may.' },
  'session.idle': { severity: 'FATAL', code: '57P05', hint: 'Connect again when there is something to do.' },
  'ledger.unavailable': { severity: 'FATAL', code: '57P03', hint: 'Nothing was executed. Try again later.' },
  'gateway.stopping': { severity: 'FATAL', code: '57P01', hint: 'Connect again.' },
  'gateway.internal': { severity: 'FATAL', code: 'XX000', hint: 'Report it to the operator of this gateway.' },
} as const satisfies Record<FaultCode, Answer>;

/** What the analyser says of a text that the server would refuse too: rendered as the server would. */
interface ServerAnswer {
  readonly sqlstate: string;
  readonly message: string;
  readonly position?: number;
}

function serverAnswer(cause: unknown): ServerAnswer | undefined {
  if (typeof cause !== 'object' || cause === null) return undefined;
  const { sqlstate, message, position } = cause as Partial<ServerAnswer>;
  if (typeof sqlstate !== 'string' || !/^[0-9A-Z]{5}$/.test(sqlstate) || typeof message !== 'string') return undefined;
  return { sqlstate, message, ...(typeof position === 'number' ? { position } : {}) };
}

/** Only `message` of a fault is safe for the client; of its cause nothing but the answer that the server would give. */
export function refusalOf(fault: Fault): Refusal {
  const answer: Answer = answers[fault.code];
  if (fault.code === 'statement.not-understood') {
    const server = serverAnswer(fault.cause);
    if (server) {
      return {
        severity: 'ERROR',
        code: server.sqlstate,
        message: server.message,
        // A syntax error speaks for itself; for what only the gateway refuses, the fault says what to do.
        ...(server.sqlstate === '42601' || server.message === fault.message ? {} : { hint: fault.message }),
        ...(server.position === undefined ? {} : { position: server.position }),
      };
    }
  }
  return {
    severity: answer.severity,
    code: answer.code,
    message: fault.message,
    ...(answer.hint ? { hint: answer.hint } : {}),
  };
}

/** For a COPY of the client's that the gateway gives up. */
export function refusalOfCopy(fault: Fault): Refusal {
  const server = serverAnswer(fault.cause);
  if (server === undefined) return { ...refusalOf(fault), severity: 'ERROR' };
  const hint =
    server.sqlstate === '22P04'
      ? 'Send it in the format and with the columns that the statement names.'
      : fault.message;
  return { severity: 'ERROR', code: server.sqlstate, message: server.message, hint };
}

/**
 * SQLSTATE by what a calling agent should do: 42501 denied by policy; KC001 people refused; KC002 nobody answered in time;
 * 57014 withdrawn, as a cancelled statement; 57P03 not recordable as it must be now. Class KC is implementation-defined (SQL:2023 part 2, 24.1).
 */
const denials = {
  policy: '42501',
  refused: 'KC001',
  expired: 'KC002',
  withdrawn: '57014',
  'not-understood': '0A000',
  unavailable: '57P03',
} as const satisfies Record<Denial['cause'], string>;

const nextSteps = {
  final: 'This is final: do not retry it.',
  change: 'Change the statement and send it again.',
  ask: 'Ask for approval, then send it again.',
  retry: 'Retry it later.',
} as const satisfies Record<Denial['next'], string>;

/** The server's own error for a name that it does not have: 42P01 for relations, 42883 for functions. */
export function missingName(effects: readonly Effect[]): Pick<Refusal, 'code' | 'message'> | undefined {
  for (const { action, resource, attributes } of effects) {
    if (attributes?.unresolved !== true) continue;
    const named = (name: string) => (resource.schema === undefined ? name : `${resource.schema}.${name}`);
    if (action === 'sql:call' && resource.routine !== undefined)
      return { code: '42883', message: `function ${named(resource.routine)} does not exist` };
    if (resource.relation !== undefined && rowActions.has(action))
      return { code: '42P01', message: `relation "${named(resource.relation)}" does not exist` };
  }
  return undefined;
}
const rowActions: ReadonlySet<Action> = new Set<Action>(['sql:read', 'sql:insert', 'sql:update', 'sql:delete']);

/** `effects` are those of the statement: where it names what is not there, clients look for the server's own code. */
export function refusalOfDenial(denial: Denial, effects: readonly Effect[] = []): Refusal {
  const hint = `${denial.advice} ${nextSteps[denial.next]}`.trim();
  const missing = denial.cause === 'policy' ? missingName(effects) : undefined;
  return {
    severity: 'ERROR',
    code: missing?.code ?? denials[denial.cause],
    message: missing?.message ?? denial.reason,
    detail: `Ledger entry ${denial.entry} records this decision.`,
    hint,
  };
}

/** A text for the wire cannot hold a zero byte. */
const clean = (text: string) => (text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text);

export function encodeRefusal(refusal: Refusal): Buffer {
  const fields: [string, string][] = [
    ['S', refusal.severity],
    ['V', refusal.severity],
    ['C', refusal.code],
    ['M', clean(refusal.message)],
  ];
  if (refusal.detail !== undefined) fields.push(['D', clean(refusal.detail)]);
  if (refusal.hint !== undefined) fields.push(['H', clean(refusal.hint)]);
  if (refusal.position !== undefined) fields.push(['P', String(refusal.position)]);
  const writer = new Writer();
  encodeReport(writer, 'error', fields);
  return writer.take();
}
