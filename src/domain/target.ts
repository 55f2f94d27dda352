/** A configured resource that the gateway reaches on behalf of a principal. */
export type AckLevel = 'written' | 'synced';

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
