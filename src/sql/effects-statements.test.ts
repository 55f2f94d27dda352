import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { statements } from './effects-statements.ts';
import { inside } from './effects.ts';

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
