import type { RecordingRule } from './recording-rule.ts';

/** Where a record must be before what it permits is sent: in the kernel, on the device, in a second place too. */
export const ackLevels = ['written', 'synced', 'replicated'] as const;
export type AckLevel = (typeof ackLevels)[number];

/** A configured resource that the gateway reaches on behalf of a principal. */
export interface Target {
  readonly name: string;
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
  /** What its recordings keep; everything where absent. */
  readonly recording?: RecordingRule;
  /** Ack level demanded before a statement is sent, by what the statement can do. */
  readonly ack: { readonly read: AckLevel; readonly write: AckLevel };
  /** Database (or the protocol's equivalent) used when the client names none. */
  readonly database: string;
}
