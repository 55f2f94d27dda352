// What an ordinary statement is, for the corpus beside this file. The corpus only grows.
import { applications } from './applications.ts';
import { catalogues } from './catalogues.ts';
import { frameworks } from './frameworks.ts';
import { maintenance } from './maintenance.ts';
import { reports } from './reports.ts';

export interface Ordinary {
  /** Sent one after the other in one transaction that is rolled back; all but the last may prepare the ground. */
  readonly sql: string | readonly string[];
  /** Values of `$1`, …: then it goes as Parse, Bind, Describe, Execute. */
  readonly values?: readonly (string | null)[];
  /** Result columns that carry personal data: masked for all but readers. */
  readonly pii?: readonly string[];
  /** Result columns that carry what no shipped policy reveals: masked for everybody. */
  readonly other?: readonly string[];
  /** Cells differ from run to run (times, counters, process ids): only their number, names and types are compared. */
  readonly moving?: true;
  /** It cannot run, or does nothing, inside a transaction. */
  readonly alone?: true;
  /** Sent behind a COPY … FROM STDIN. */
  readonly data?: string;
}

export const groups: Readonly<Record<string, readonly Ordinary[]>> = {
  frameworks,
  catalogues,
  applications,
  reports,
  maintenance,
};

export const corpus: readonly (Ordinary & { readonly name: string })[] = Object.entries(groups).flatMap(
  ([group, list]) =>
    list.map((entry) => ({ ...entry, name: `${group}: ${[entry.sql].flat().join('; ').replaceAll(/\s+/g, ' ')}` })),
);
