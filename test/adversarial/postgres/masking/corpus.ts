// All masking attacks by category. The corpus only grows.
import type { Attack } from '../attack.ts';
import { channels } from './channels.ts';
import { disguises } from './disguises.ts';
import { documents } from './documents.ts';
import { shadows } from './shadows.ts';
import { encodings } from './encodings.ts';
import { sessions } from './sessions.ts';
import { inference } from './inference.ts';
import { laundering } from './laundering.ts';
import { names } from './names.ts';
import { plans } from './plans.ts';
import { queries } from './queries.ts';
import { routines } from './routines.ts';
import { rows } from './rows.ts';
import { texts } from './texts.ts';

export const corpus = {
  names,
  disguises,
  rows,
  documents,
  queries,
  routines,
  texts,
  plans,
  channels,
  laundering,
  inference,
  sessions,
  encodings,
  shadows,
} satisfies Readonly<Record<string, readonly Attack[]>>;

export type Category = keyof typeof corpus;

/** What a single text can say to get at a value. */
export const byText: readonly Category[] = ['names', 'disguises', 'rows', 'documents', 'queries', 'routines', 'texts'];
/** What leaves by another exit than a row, and what a guess tells. */
export const byExit: readonly Category[] = ['plans', 'channels', 'encodings', 'inference'];
/** What puts a value somewhere else first, and several sessions together. */
export const byPlace: readonly Category[] = ['laundering', 'shadows', 'sessions'];
