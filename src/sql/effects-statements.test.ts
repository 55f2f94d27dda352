import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import type { Scope } from './analysis.ts';
import { readStatement, statements } from './effects-statements.ts';
import { inside, walk } from './effects.ts';
import type { Tree } from './parse.ts';
import { noNames, openReading } from './reading.ts';

// Made by the server's analyser and planner, never by its grammar.
const neverRaw = new Set(
  `ParseResult ScanResult ScanToken SummaryResult Table Function FilterColumn RawStmt SetOperationStmt ReturnStmt PLAssignStmt
   TableFunc Var Param Aggref WindowFunc WindowFuncRunCondition SubscriptingRef FuncExpr OpExpr DistinctExpr NullIfExpr
   ScalarArrayOpExpr SubPlan AlternativeSubPlan FieldSelect FieldStore RelabelType CoerceViaIO ArrayCoerceExpr
   ConvertRowtypeExpr CollateExpr CaseTestExpr ArrayExpr RowCompareExpr JsonConstructorExpr JsonExpr JsonTablePath
   JsonTablePathScan JsonTableSiblingJoin MergeAction CoerceToDomain CoerceToDomainValue NextValueExpr InferenceElem
   ReturningExpr TargetEntry RangeTblRef FromExpr OnConflictExpr Query RangeTblEntry RTEPermissionInfo RangeTblFunction
   TableSampleClause WithCheckOption SortGroupClause WindowClause RowMarkClause  InlineCodeBlock
   CallContext`.split(/\s+/),
);

function grammar(): readonly string[] {
  const types = createRequire(createRequire(import.meta.url).resolve('libpg-query')).resolve('@pgsql/types');
  const text = readFileSync(types.replace(/index\.js$/, 'types.d.ts'), 'utf8');
  const union = text.slice(text.indexOf('export type Node ='), text.indexOf('export interface ParseResult'));
  return [...union.matchAll(/^\s+(\w+): \w+;$/gm)].map((match) => match[1]!);
}

test('every node of the grammar is a statement of the table, allowed inside one, or never produced by it', () => {
  const kinds = grammar();
  expect(kinds.length).toBeGreaterThan(260);
  const unknown = kinds.filter((kind) => !Object.hasOwn(statements, kind) && !inside.has(kind) && !neverRaw.has(kind));
  expect(unknown).toEqual([]);
  const twice = kinds.filter((kind) => Object.hasOwn(statements, kind) && neverRaw.has(kind));
  expect(twice).toEqual([]);
  expect(Object.keys(statements).filter((kind) => !kinds.includes(kind))).toEqual([]);
});

test('a node or statement that a newer grammar brings is refused, however deep it stands', () => {
  const walker = { statement: readStatement, walk } as never;
  const reading = () => openReading({ searchPath: [] } as unknown as Scope, walker);
  expect(() => readStatement({ NewStmt: {} } as Tree, reading(), noNames)).toThrow(/not understood/);
  expect(() => walk([{ List: { items: [{ NewExpr: { x: 1 } }] } }], reading(), noNames)).toThrow(/NewExpr/);
  expect(() => walk({ ResTarget: { val: { NewStmt: {} } } }, reading(), noNames)).toThrow(/NewStmt/);
});
