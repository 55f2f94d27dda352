// What fsck says of one thing that is wrong.
export interface Finding {
  /** Path inside the ledger, recordings or state folder. */
  readonly file: string;
  readonly index?: number;
  readonly what: string;
  /** What it means and what to do. */
  readonly meaning: string;
  /** What `--repair` does about it; absent where nothing may be done without a person. */
  readonly repair?: 'rebuild' | 'publish' | 'aside';
}
