// From what is known of a column – name, type, comment, a sample of its values – to a label with its evidence. Values are
// counted and dropped: nothing that leaves this file was in one (test: masking/label-suggestion "never a value").
import type { Label } from '../domain/label.ts';
import { labelOfName, speaksOfPersons } from './column-name.ts';
import { findIn, type FindingKind } from './detect.ts';
import { type IdentifierKind, identifiers } from './identifiers.ts';

export interface SampledColumn {
  readonly name: string;
  /** As pg_type names it, domains by their base. */
  readonly type: string;
  readonly comment?: string;
}

/** A kind of content, and how many of the values that are not NULL or empty are one, or hold one. */
export interface Evidence {
  readonly kind: FindingKind | IdentifierKind;
  readonly whole: number;
  readonly inside: number;
}

export interface Suggestion {
  readonly label: Label;
  /** 0 to 1. */
  readonly confidence: number;
  /** What speaks for it, for people. */
  readonly reasons: readonly string[];
}

export interface Tally {
  /** Looks at a value and keeps counts. */
  add(value: string): void;
  readonly values: number;
  evidence(): readonly Evidence[];
}

const labelOfKind: Readonly<Record<FindingKind, Label>> = {
  card: 'pci.pan',
  iban: 'pii.bank',
  email: 'pii.email',
  phone: 'pii.phone',
  ip: 'pii.ip',
  'national-id': 'pii.national-id',
  secret: 'secret',
};

function labelOf(kind: Evidence['kind']): Label {
  if (kind in labelOfKind) return labelOfKind[kind as FindingKind];
  return 'pii.national-id';
}

/** What only its name, its groups or its plus sign tells from any other number. */
const needsName: ReadonlySet<string> = new Set(['us-ssn']);

/** Among numbers of another meaning some pass: alone in a value they say nothing of the column. */
const byChance: ReadonlySet<string> = new Set(['card', 'iban', 'national-id']);

export function openTally(): Tally {
  const whole = new Map<Evidence['kind'], number>();
  const inside = new Map<Evidence['kind'], number>();
  let values = 0;
  const count = (map: Map<Evidence['kind'], number>, kind: Evidence['kind']) => map.set(kind, (map.get(kind) ?? 0) + 1);
  return {
    add(value) {
      const text = value.trim();
      if (text === '') return;
      values++;
      const packed = text.length <= 48 ? text.replace(/[ .\-/\u00a0]/g, '').toUpperCase() : '';
      if (packed !== '') for (const { kind, fits } of identifiers) if (fits(packed)) count(whole, kind);
      const found = findIn(text);
      for (const kind of new Set(found.map((finding) => finding.kind))) {
        const all = found.length === 1 && found[0]!.start <= 1 && found[0]!.end >= text.length - 1;
        if (!all) count(inside, kind);
        else if (kind !== 'card' && kind !== 'iban') count(whole, kind);
      }
    },
    get values() {
      return values;
    },
    evidence: () =>
      [...new Set([...whole.keys(), ...inside.keys()])].map((kind) => ({
        kind,
        whole: whole.get(kind) ?? 0,
        inside: inside.get(kind) ?? 0,
      })),
  };
}

const textual: ReadonlySet<string> = new Set([
  'text',
  'varchar',
  'bpchar',
  'citext',
  'name',
  'json',
  'jsonb',
  'xml',
  'hstore',
]);
const numeric: ReadonlySet<string> = new Set(['int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'money']);
const dates: ReadonlySet<string> = new Set(['date', 'timestamp', 'timestamptz']);
const addresses: ReadonlySet<string> = new Set(['inet', 'cidr']);

/** Whether a column of that type could hold what its name says. */
function typeAllows(label: Label, type: string): boolean {
  const element = type.replace(/^_/, '');
  if (textual.has(element)) return true;
  switch (label) {
    case 'pii.birth':
      return dates.has(element);
    case 'pii.ip':
      return addresses.has(element);
    case 'pii.income':
    case 'pii.location':
      return numeric.has(element) || element === 'point' || element === 'geography';
    case 'secret':
      return element === 'bytea';
    case 'pii.phone':
    case 'pci.pan':
    case 'pci.cvv':
    case 'pii.national-id':
    case 'pii.bank':
      return numeric.has(element);
  }
  return false;
}

/** Labels whose values are recognised where they are: a name that no value agrees with says little. */
const recognised: ReadonlySet<Label> = new Set(['pii.email', 'pci.pan', 'pii.ip']);
/** Fewer values than this prove nothing. */
const fewest = 5;

/** At most one label, or undefined. */
export function suggestLabel(column: SampledColumn, tally: Tally): Suggestion | undefined {
  const said = labelOfName(column.name);
  const named = said !== undefined && typeAllows(said, column.type) ? said : undefined;
  const told = column.comment !== undefined && speaksOfPersons(column.comment);
  const { values } = tally;
  const share = (number: number) => (values === 0 ? 0 : number / values);
  const evidence = tally.evidence();
  const ranked: Suggestion[] = [];
  for (const { kind, whole } of evidence) {
    const label = labelOf(kind);
    const agrees = named === label;
    if (needsName.has(kind) && !agrees) continue;
    const part = share(whole);
    if (values < fewest && !agrees) continue;
    // Of random numbers some pass: most must, unless the name says the same.
    if (part < (agrees ? 0.3 : 0.8)) continue;
    const confidence = Math.min(0.99, (agrees ? 0.9 : 0.75) + 0.09 * part + (told ? 0.1 : 0));
    ranked.push({ label, confidence, reasons: reasonsOf(agrees, told, [`${percent(part)} ${kind}`]) });
  }
  const best = ranked.sort((one, other) => other.confidence - one.confidence)[0];
  if (best) return rounded(best);
  const contradicted = named !== undefined && recognised.has(named) && values >= 20;
  if (named && !contradicted)
    return rounded({ label: named, confidence: told ? 0.8 : 0.6, reasons: reasonsOf(true, told, []) });
  const held = evidence
    .map(({ kind, whole, inside }) => ({ kind, number: inside + (byChance.has(kind) ? 0 : whole) }))
    .filter(({ kind, number }) => kind in labelOfKind && number >= 2 && share(number) >= 0.01);
  if (held.length > 0 && textual.has(column.type.replace(/^_/, ''))) {
    const most = Math.max(...held.map(({ number }) => share(number)));
    return rounded({
      label: 'text.free',
      confidence: Math.min(0.9, 0.5 + most / 2),
      reasons: reasonsOf(
        false,
        told,
        held.map(({ kind, number }) => `${percent(share(number))} hold ${kind}`),
      ),
    });
  }
  return told ? { label: 'pii', confidence: 0.5, reasons: reasonsOf(false, true, []) } : undefined;
}

function reasonsOf(named: boolean, told: boolean, counted: readonly string[]): string[] {
  return [...counted, ...(named ? ['name'] : []), ...(told ? ['comment'] : [])];
}

const percent = (part: number): string => `${part > 0 && part < 0.01 ? '<1' : Math.round(part * 100)} %`;
const rounded = (one: Suggestion): Suggestion => ({ ...one, confidence: Math.round(one.confidence * 100) / 100 });
