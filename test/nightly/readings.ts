// What the words of a text stand for in a played conversation: its parser has tests of its own, here every shape of an answer is wanted.
import { Fault } from '../../src/domain/fault.ts';
import type { Output } from '../../src/domain/statement.ts';
import { type Catalogue, catalogueQueries, readCatalogue, type Relation } from '../../src/sql/catalogue.ts';
import type { Analysis, Changes, Copy, Part, Witness } from '../../src/sql/analysis.ts';

/** The labelled value that targets of the corpus send. */
export const secret = 'clear@example.com';

const source = { schema: 'public', relation: 'customers', column: 'email', labels: ['pii'] };
const id: Output = { name: 'id', sources: [], direct: true, opaque: false };
const email: Output = { name: 'email', sources: [source], direct: true, opaque: false };
const derived: Output = { name: 'hint', sources: [source], direct: false, opaque: false };
const origin = (attribute: number): Witness => ({
  origin: { table: 16384, attribute },
  type: attribute === 1 ? 23 : 25,
});

const column = { notNull: false, hasDefault: false, generated: false, identity: false };
const relation = {
  oid: 16384,
  schema: 'public',
  name: 'customers',
  kind: 'r',
  system: false,
  temporary: false,
  rowType: 16386,
  columns: [
    { ...column, attribute: 1, name: 'id', type: 23, baseType: 23, labels: ['pii'] },
    { ...column, attribute: 2, name: 'email', type: 25, baseType: 25, labels: ['pii'] },
  ],
  parents: [],
  children: [],
  rowSecurity: false,
  triggers: false,
  rules: false,
  owner: 'owner',
} as unknown as Relation;

/** A target that holds one labelled column, which the principal may not see. */
export const catalogue: Catalogue = {
  ...readCatalogue(
    catalogueQueries.map(() => []),
    [],
  ),
  relations: new Map([[relation.oid, relation]]),
};

interface Result {
  readonly outputs: readonly Output[];
  readonly columns: readonly Witness[];
}
const plain: Result = { outputs: [id], columns: [{}] };
// Both labelled: damage may move a value from one column to the next.
const customers: Result = { outputs: [{ ...email, name: 'id' }, email], columns: [origin(1), origin(2)] };
const mixed: Result = { outputs: [id, email], columns: [origin(1), origin(2)] };
const hinted: Result = { outputs: [derived], columns: [{}] };

const copyForm = (direction: 'in' | 'out', format: Copy['format']): Copy => ({
  direction,
  format,
  delimiter: format === 'csv' ? ',' : '\t',
  nullText: format === 'csv' ? '' : '\\N',
  quote: '"',
  escape: '"',
  header: false,
  labelled: direction === 'in' ? [false, true] : [],
});

interface Meant {
  readonly result?: Result;
  readonly copy?: Copy;
  readonly changes?: Changes;
  readonly barrier?: boolean;
  readonly parameter?: boolean;
}

const once = (text: string): Analysis => analysisOf(text, [{ result: customers }]);
const words: readonly (readonly [string, Meant])[] = [
  ['copy csv', { result: customers, copy: copyForm('out', 'csv') }],
  ['copy binary', { result: customers, copy: copyForm('out', 'binary') }],
  ['copy out', { result: customers, copy: copyForm('out', 'text') }],
  ['copy plain', { copy: { ...copyForm('in', 'text'), labelled: [false, false] } }],
  ['copy in', { copy: copyForm('in', 'text') }],
  ['begin', { changes: { transaction: 'begin' } }],
  ['commit', { changes: { transaction: 'commit' } }],
  ['rollback', { changes: { transaction: 'rollback' } }],
  ['set path', { changes: { settings: { search_path: 'x' } }, barrier: true }],
  ['set local', { changes: { settings: 'unknown', local: true }, barrier: true }],
  ['create', { changes: { catalogue: true }, barrier: true }],
  ['prepare', { changes: { prepared: { name: 'p', analysis: once('select customers') } }, barrier: true }],
  ['deallocate', { changes: { deallocated: {} }, barrier: true }],
  ['declare', { changes: { cursor: { name: 'c', analysis: once('select customers') } }, barrier: true }],
  ['closes', { changes: { closedCursor: { name: 'c' } }, barrier: true }],
  ['discard', { changes: { discard: true }, barrier: true }],
  ['insert', { parameter: true }],
  ['mixed', { result: mixed }],
  ['hint', { result: hinted }],
  ['customers', { result: customers }],
  ['select', { result: plain }],
];

/** As an analyser does: throws a Fault for what it does not know. One part for each of the words between semicolons. */
export function readAnalysis(text: string): Analysis {
  const meant = text
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => words.find(([word]) => part.includes(word))?.[1]);
  if (meant.includes(undefined)) throw new Fault('statement.not-understood', 'Write it in another way.');
  return analysisOf(text, meant as Meant[]);
}

function analysisOf(text: string, meant: readonly Meant[]): Analysis {
  const results: (readonly Output[])[] = [];
  const parts = meant.map(({ result, copy, changes }): Part => {
    if (result) results.push(result.outputs);
    return {
      node: copy ? 'CopyStmt' : result ? 'SelectStmt' : 'OtherStmt',
      ...(result ? { result: results.length - 1 } : {}),
      columns: result?.columns ?? [],
      ...(copy ? { copy } : {}),
      changes: changes ?? {},
    };
  });
  return {
    meaning: { effects: [{ action: 'sql:read', resource: source }], results },
    text,
    parts,
    barrier: meant.some(({ barrier }) => barrier === true),
    // What is spliced may answer anything with an error that quotes.
    quotesLabelled: true,
    sensitiveParameters: new Set(meant.some(({ parameter }) => parameter === true) ? [1] : []),
  };
}
