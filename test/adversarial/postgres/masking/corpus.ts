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

export const corpus: Readonly<Record<string, readonly Attack[]>> = {
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
};
