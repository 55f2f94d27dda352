// Names of the reads, apart from them: whoever only asks does not load the query builder, which takes longer than the rest of the store.
import type { Reads } from './reads.ts';

export const readNames = [
  'sessions',
  'session',
  'statements',
  'approvals',
  'approval',
  'counters',
  'expiring',
  'processKeys',
  'holds',
  'shredded',
  'deletedRecordings',
] as const satisfies readonly (keyof Reads)[];
