/** Where a record must be before what it permits is sent: in the kernel, on the device, in a second place too. */
export type AckLevel = 'written' | 'synced' | 'replicated';

export interface Target {
  readonly name: string;
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
  /** Ack level demanded before a statement is sent, by what the statement can do. */
  readonly ack: { readonly read: AckLevel; readonly write: AckLevel };
  /** Database (or the protocol's equivalent) used when the client names none. */
  readonly database: string;
}
