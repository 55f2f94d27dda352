// One SQL text → Analysis, uncached (contract in analysis.ts): each statement's effects, columns, literals and changes put
// together. Total: a text is analysed, or refused with a Fault that says what to do. Long because a part is put together in one place.
import type { CallStmt, CopyStmt, ExecuteStmt, FetchStmt } from 'libpg-query';
import type { Effect } from '../domain/effect.ts';
import { Fault } from '../domain/fault.ts';
import type { Label, LabelledColumn } from '../domain/label.ts';
import type { Meaning, Output } from '../domain/statement.ts';
import { keyless, type Made, type WrittenBack } from '../masking/written-back.ts';
import type { Analysis, Asked, Met, Part, Scope, Witness } from './analysis.ts';
import { walk } from './effects.ts';
import { domainChecks } from './effects-calls.ts';
import { copiesOverWire, copyForm } from './effects-copy.ts';
import { readStatement } from './effects-statements.ts';
import { type Lineage, lineage } from './lineage.ts';
import { readMet } from './met.ts';
import { routinesNamed, strings } from './names.ts';
import { kindOf, notUnderstood, type Parsed, parse, type Tree } from './parse.ts';
import { add, changesCatalogue, noNames, openReading, type Reading, type Walker } from './reading.ts';
import { collect, limits, madeByMask, type Meeting, parametersOf, refuseMade } from './literals.ts';
import { type RecordedPart, recordedText } from './recorded.ts';
import { refuseStale, scopeAfter, type Stale, staleAfter } from './sequence.ts';

/** What is known of an analysis beside the contract. */
interface Kept {
  /** May be served again for the same text, catalogue and search path. */
  readonly cacheable: boolean;
  readonly trees: readonly Tree[];
  readonly scope: Scope;
  /** Absent for a statement inside another one. */
  readonly sql?: string;
  /** As recorded; an analysis whose text differs from it is a copy of the same shape, and its text is what runs. */
  readonly text: string;
}
/** On the analysis itself: a WeakMap of one entry a statement costs more than the rest of a look-up. */
const kept = Symbol('kept');
type KeptAnalysis = Analysis & { readonly [kept]?: Kept };
const keptOf = (analysis: Analysis): Kept | undefined => (analysis as KeptAnalysis)[kept];

/** Reads one text. Throws Fault('statement.not-understood'); its cause is a SyntaxFault where the server would answer with one. */
export function readText(sql: string, scope: Scope, limit?: number, back: WrittenBack = keyless): Analysis {
  return total(() => {
    const parsed = parse(sql, limit);
    return remember(readParts(sql, parsed, scope, back), { trees: parsed.map((part) => part.tree), scope, sql });
  });
}

/** Refuses, with a Fault, types of parameters whose values would run statements as soon as they are bound (test: firing). */
export function checkParameterTypes(types: readonly number[], scope: Scope): void {
  if (scope.catalogue.fired.domains.size === 0) return;
  total(() => {
    for (const type of types) if (type !== 0) domainChecks(type, openReading(scope, walker));
  });
}

/** Whether the analysis depends on nothing but text, catalogue, search path and role. */
export function isCacheable(analysis: Analysis): boolean {
  return keptOf(analysis)?.cacheable ?? false;
}

/** The trees behind an analysis; for the cache by shape. */
export function treesOf(analysis: Analysis): readonly Tree[] {
  return keptOf(analysis)?.trees ?? [];
}

/** The same analysis under another text of the same shape: same meaning, own text (in which nothing was masked). */
export function withText(analysis: Analysis, sql: string): Analysis {
  return { ...analysis, text: sql };
}

/** The same analysis with an equal meaning that is shared. */
export function withMeaning(analysis: Analysis, meaning: Meaning): Analysis {
  return { ...analysis, meaning };
}

function total<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Fault) throw error;
    // A tree deeper than the stack, or a bug of ours: the statement is not forwarded either way.
    const fault = notUnderstood('The statement is too complex to be understood. Split it or nest it less deeply.', {
      sqlstate: '54001',
      message: 'stack depth limit exceeded',
    });
    throw new Fault(fault.code, fault.message, { ...(fault.cause as object), reason: error });
  }
}

const walker: Walker = {
  statement: readStatement,
  walk,
  analyse: (tree, scope) => readInner([tree], scope),
  refresh(analysis, scope) {
    const source = keptOf(analysis);
    if (!source) return analysis;
    if (source.scope.catalogue === scope.catalogue && samePath(source.scope, scope)) return analysis;
    if (source.sql === undefined) return readInner(source.trees, scope);
    return readText(analysis.text === source.text ? source.sql : analysis.text, scope);
  },
};

/** The same statement, read under another catalogue or search path. Throws Fault('statement.not-understood'). */
export function readAgain(analysis: Analysis, scope: Scope): Analysis {
  return total(() => walker.refresh(analysis, scope));
}

function samePath(one: Scope, other: Scope): boolean {
  return one.role === other.role && one.searchPath.join('\0') === other.searchPath.join('\0');
}

/** A statement inside another: it has no text of its own. */
function readInner(trees: readonly Tree[], scope: Scope): Analysis {
  const parsed = trees.map((tree) => ({ tree, kind: kindOf(tree), start: 0, end: 0 }));
  return remember(readParts('', parsed, scope), { trees, scope });
}

function remember(
  read: { analysis: Analysis; cacheable: boolean },
  source: Omit<Kept, 'cacheable' | 'text'>,
): Analysis {
  const { analysis, cacheable } = read;
  return { ...analysis, [kept]: { ...source, cacheable, text: analysis.text } } as KeptAnalysis;
}

/** `back` is absent for a statement inside another: its literals are read with the outer one. */
function readParts(
  sql: string,
  parsed: readonly Parsed[],
  start: Scope,
  back?: WrittenBack,
): { analysis: Analysis; cacheable: boolean } {
  const effects = new Map<string, Effect>();
  const results: (readonly Output[])[] = [];
  const carries: LabelledColumn[] = [];
  const matches: Asked[] = [];
  const parts: Part[] = [];
  const recorded: RecordedPart[] = [];
  const sensitiveParameters = new Set<number>();
  const labels = new Set<Label>();
  const meeting = new Map<number, Met>();
  let anyLabel = false;
  let made: Made | undefined;
  let scope = start;
  let cacheable = true;
  let barrier = false;
  let quotesLabelled = false;
  let stale: Stale = 'no';
  for (const one of parsed) {
    const read = readPart(one, scope);
    refuseStale(stale, read.reading, read.outputs !== undefined);
    for (const [key, effect] of read.reading.effects) if (!effects.has(key)) effects.set(key, effect);
    const { flags, changes } = read.reading;
    carries.push(...read.carries);
    matches.push(...read.matches);
    const result = read.outputs ? results.push(read.outputs) - 1 : undefined;
    parts.push({
      node: one.kind,
      ...(result === undefined ? {} : { result }),
      columns: read.outputs ? read.witnesses : [],
      ...(read.anyColumns ? { anyColumns: true } : {}),
      ...(read.copy ? { copy: read.copy } : {}),
      changes,
    });
    const code = one.kind === 'DoStmt' || one.kind === 'CreateFunctionStmt';
    recorded.push({ start: one.start, end: one.end, code, ...read.literals });
    for (const number of read.sensitiveParameters) sensitiveParameters.add(number);
    for (const [number, met] of read.meeting) meeting.set(number, met);
    for (const label of read.literals.labels ?? []) labels.add(label);
    anyLabel ||= read.literals.labels === undefined;
    // Code is not data: what a body holds is not looked at.
    if (back && !code && made !== 'pseudonym') made = madeByMask(one.tree, read.literals, back) ?? made;
    cacheable &&= !flags.uncacheable;
    barrier ||= flags.barrier;
    quotesLabelled ||= read.quotesLabelled;
    stale = staleAfter(stale, one.kind, read.reading);
    scope = scopeAfter(scope, changes);
    if (!scope.openCursors && [...read.reading.effects.values()].some(({ action }) => action === 'sql:call'))
      scope = { ...scope, openCursors: true };
  }
  const meaning: Meaning = { effects: [...effects.values()], results, ...(carries.length > 0 ? { carries } : {}) };
  refuseMade(made, meaning);
  const text = sql === '' ? '' : recordedText(sql, recorded);
  const near = { ...(anyLabel ? {} : { labels }), parameters: meeting };
  const met = matches.length > 0 ? { matches } : {};
  return { analysis: { meaning, text, parts, barrier, quotesLabelled, sensitiveParameters, near, ...met }, cacheable };
}

interface PartRead {
  readonly kind: string;
  readonly reading: Reading;
  readonly outputs?: readonly Output[];
  readonly witnesses: readonly Witness[];
  readonly copy?: Part['copy'];
  readonly literals: Meeting;
  readonly sensitiveParameters: ReadonlySet<number>;
  /** What these surely meet. */
  readonly meeting: ReadonlyMap<number, Met>;
  readonly quotesLabelled: boolean;
  readonly carries: readonly LabelledColumn[];
  readonly anyColumns: boolean;
  readonly matches: readonly Asked[];
}

function readPart(part: Parsed, scope: Scope): PartRead {
  const { tree, kind } = part;
  const reading = openReading(scope, walker);
  readStatement(tree, reading, noNames);
  const traced = lineage(tree, scope);
  const inner = reading.inner.filter((one) => !one.fired).map((one) => lineage(one.tree, one.scope));
  columnEffects(reading, traced, inner);
  const ran = tree.ExecuteStmt && preparedBy(tree.ExecuteStmt, reading.scope);
  const matches = readMet(tree, reading, traced, inner, ran);
  const carries = [...[traced, ...inner].flatMap((one) => one.carries), ...(ran?.meaning.carries ?? [])];
  // Its labels change what the next statement may show.
  if (carries.length > 0) changesCatalogue(reading);
  // What the target runs by itself answers nobody: only what it copies counts (test: firing).
  for (const one of reading.inner) {
    if (!one.fired) continue;
    for (const column of lineage(one.tree, one.scope).derives) columnEffect(reading, 'sql:derive', column);
  }
  const { outputs, witnesses } = results(tree, traced, inner, reading);
  const copyStmt = tree.CopyStmt;
  const copy = copyStmt && copiesOverWire(copyStmt) ? copyOf(copyStmt, traced, reading) : undefined;
  if (copyStmt && !copiesOverWire(copyStmt) && !copyStmt.is_from) {
    for (const column of traced.touches) columnEffect(reading, 'sql:derive', column);
  }
  // A relation that is not known may be labelled.
  const unresolved = [...reading.effects.values()].some(
    ({ resource, attributes }) => resource.relation !== undefined && attributes?.['unresolved'] === true,
  );
  const labelled = unresolved || [traced, ...inner].some((one) => one.touches.length > 0);
  const opaque = [traced, ...inner].some((one) => one.opaque) || reading.flags.unreadable;
  // An execution's literals meet what the prepared statement compares them with.
  const execute = executed(tree, scope);
  const sensitive = new Set<number>([...traced.literals.sensitive.locations, ...(execute?.sensitive ?? [])]);
  const placed = new Set<number>([...traced.literals.placed.locations, ...limits(tree), ...(execute?.placed ?? [])]);
  for (const location of sensitive) placed.delete(location);
  const mask = reading.flags.secret ? 'all' : labelled || sensitive.size > 0 ? 'some' : 'none';
  const touched = [traced, ...inner].flatMap((one) => one.touches.flatMap((column) => column.labels));
  const labels = unresolved || opaque || execute ? undefined : new Set(touched);
  const parameters = new Set<number>(traced.literals.sensitive.parameters);
  if (labelled || reading.flags.secret) {
    for (const number of parametersOf(tree)) if (!traced.literals.placed.parameters.has(number)) parameters.add(number);
  }
  return {
    kind,
    reading,
    ...(outputs && !(copyStmt && (copyStmt.is_from || !copy)) ? { outputs } : {}),
    witnesses,
    ...(copy ? { copy } : {}),
    literals: {
      mask,
      sensitive,
      placed,
      labels,
      meets: new Map([...traced.literals.meets.locations, ...(execute?.meets ?? [])]),
    },
    sensitiveParameters: parameters,
    meeting: traced.literals.meets.parameters,
    quotesLabelled: labelled || opaque,
    carries,
    anyColumns:
      outputs !== undefined && tree.FetchStmt !== undefined && cursorOf(tree.FetchStmt, reading.scope) === undefined,
    matches,
  };
}

function columnEffects(reading: Reading, traced: Lineage, inner: readonly Lineage[]): void {
  for (const one of [traced, ...inner]) {
    for (const column of one.probes) columnEffect(reading, 'sql:probe', column);
    for (const column of one.derives) columnEffect(reading, 'sql:derive', column);
  }
  // A body's variables carry values from one statement to the next: with any write or message in it, they may be copied.
  const carries = [...reading.effects.values()].some((effect) => carrying.has(effect.action));
  if (carries) for (const one of inner) for (const column of one.touches) columnEffect(reading, 'sql:derive', column);
}

const carrying: ReadonlySet<string> = new Set([
  'sql:insert',
  'sql:update',
  'sql:create',
  'sql:notify',
  'sql:file_write',
  'sql:copy_program',
  'sql:session',
]);

function columnEffect(
  reading: Reading,
  action: 'sql:probe' | 'sql:derive',
  { schema, relation, column, labels }: LabelledColumn,
): void {
  add(reading, action, { schema, relation, column, labels });
}

const unknownOutput: Output = { name: '', sources: [], direct: false, opaque: true };

/** The columns that the part returns; undefined when it returns no rows. */
function results(
  tree: Tree,
  traced: Lineage,
  inner: readonly Lineage[],
  reading: Reading,
): { outputs?: readonly Output[]; witnesses: readonly Witness[] } {
  const from = tree.ExecuteStmt
    ? preparedBy(tree.ExecuteStmt, reading.scope)
    : tree.FetchStmt
      ? cursorOf(tree.FetchStmt, reading.scope)
      : undefined;
  if (from) {
    const part = from.parts[0];
    if (part?.result === undefined || tree.FetchStmt?.ismove) return { witnesses: [] };
    return { outputs: from.meaning.results[part.result]!, witnesses: part.columns };
  }
  if (tree.CallStmt) {
    const outputs = callOutputs(tree.CallStmt, inner, reading);
    return outputs ? { outputs, witnesses: outputs.map(() => ({})) } : { witnesses: [] };
  }
  if (traced.outputs) return { outputs: traced.outputs, witnesses: traced.witnesses };
  return returnsRows(tree) ? { outputs: [unknownOutput], witnesses: [{}] } : { witnesses: [] };
}

function returnsRows(tree: Tree): boolean {
  if (tree.SelectStmt) return tree.SelectStmt.intoClause === undefined;
  if (tree.ExplainStmt || tree.VariableShowStmt || tree.FetchStmt) return true;
  if (tree.CopyStmt) return !tree.CopyStmt.is_from && copiesOverWire(tree.CopyStmt);
  const written = tree.InsertStmt ?? tree.UpdateStmt ?? tree.DeleteStmt ?? tree.MergeStmt;
  return written?.returningClause !== undefined;
}

/** CALL returns one row of the OUT arguments; their values come from the body, so they are opaque unless it is clean. */
function callOutputs(stmt: CallStmt, inner: readonly Lineage[], reading: Reading): readonly Output[] | undefined {
  const routines = routinesNamed(strings(stmt.funccall?.funcname), reading.scope).filter(
    (routine) => routine.kind === 'p',
  );
  const clean = !reading.flags.unreadable && inner.every((one) => !one.opaque && one.touches.length === 0);
  if (routines.length !== 1) return [unknownOutput];
  const columns = routines[0]!.outputs;
  if (columns.length === 0) return undefined;
  return columns.map(({ name }) => ({ name, sources: [], direct: false, opaque: !clean }));
}

function preparedBy(stmt: ExecuteStmt, scope: Scope): Analysis | undefined {
  const analysis = scope.prepared.get(stmt.name ?? '');
  return analysis && walker.refresh(analysis, scope);
}

function cursorOf(stmt: FetchStmt, scope: Scope): Analysis | undefined {
  return scope.cursors.get(stmt.portalname ?? '');
}

interface Executed {
  readonly sensitive: number[];
  readonly placed: number[];
  readonly meets: Map<number, Met>;
}

/** Where the literals of EXECUTE's arguments stand, by what the prepared statement says of its parameters. */
function executed(tree: Tree, scope: Scope): Executed | undefined {
  if (!tree.ExecuteStmt) return undefined;
  const analysis = preparedBy(tree.ExecuteStmt, scope);
  const found: Executed = { sensitive: [], placed: [], meets: new Map() };
  ((tree.ExecuteStmt.params ?? []) as Tree[]).forEach((param, index) => {
    const into = !analysis || analysis.sensitiveParameters.has(index + 1) ? found.sensitive : found.placed;
    const met = analysis?.near ? analysis.near.parameters.get(index + 1) : 'any';
    collect(param, 'A_Const', (body) => {
      const { location = 0 } = body as { location?: number };
      into.push(location);
      if (met !== undefined) found.meets.set(location, met);
    });
  });
  return found;
}

function copyOf(stmt: CopyStmt, traced: Lineage, reading: Reading): NonNullable<Part['copy']> {
  const form = copyForm(stmt, reading);
  const labels = traced.copyLabelled;
  return labels ? { ...form, labelled: labels.map((met) => met !== undefined), labels } : form;
}
