/**
 * An expected failure. `message` is safe to show to the client; `cause` is for the operator. Thrown, and caught only at
 * the edges. docs/errors.md lists every code (test: architecture/errors).
 */
export const faultCodes = [
  'sign-in.missing',
  'sign-in.invalid',
  'sign-in.expired',
  'sign-in.audience',
  'sign-in.issuer',
  'sign-in.plaintext',
  'sign-in.locked',
  'target.unknown',
  'target.unreachable',
  'target.refused',
  'target.protocol',
  'client.protocol',
  'client.limit',
  'client.timeout',
  'statement.not-understood',
  'result.withheld',
  'session.killed',
  'session.idle',
  'ledger.unavailable',
  'gateway.stopping',
  'gateway.internal',
] as const;
export type FaultCode = (typeof faultCodes)[number];

export class Fault extends Error {
  readonly code: FaultCode;
  constructor(code: FaultCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'Fault';
    this.code = code;
  }
}
