// The SQL inside a PL/pgSQL body: every expression and statement as a tree, and whether some SQL is built at run time.
import { parse, parsePlpgsql, scan, type Tree } from './parse.ts';

export interface Body {
  readonly statements: readonly Tree[];
  /** EXECUTE of a computed text, or something else that only the server can know. */
  readonly dynamic: boolean;
  /** COMMIT or ROLLBACK inside. */
  readonly transaction: boolean;
  /** CLOSE of a cursor, whose name only the server knows. */
  readonly closes: boolean;
}

type Found = { -readonly [K in keyof Omit<Body, 'statements'>]: boolean } & { readonly statements: Tree[] };

/** `text` is a whole CREATE FUNCTION, CREATE PROCEDURE or DO statement. Throws a Fault when any part cannot be read. */
export function bodyStatements(text: string): Body {
  const found: Found = { statements: [], dynamic: false, transaction: false, closes: false };
  visit(parsePlpgsql(text), found);
  return found;
}

// Raw parse modes of an expression (parser.h): whole statement, type name, expression, and assignments to 1–3 name parts.
const statementMode = 0;
const expressionMode = 2;
const assignmentModes: readonly number[] = [3, 4, 5];

function visit(value: unknown, found: Found): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, found);
    return;
  }
  if (value === null || typeof value !== 'object') return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'PLpgSQL_expr') {
      const { query, parseMode = statementMode } = inner as { query?: string; parseMode?: number };
      found.statements.push(...expression(query ?? '', parseMode));
      continue;
    }
    if (key === 'dynquery' || key === 'PLpgSQL_stmt_dynexecute' || key === 'PLpgSQL_stmt_dynfors') found.dynamic = true;
    if (key === 'PLpgSQL_stmt_close') found.closes = true;
    if (key === 'PLpgSQL_stmt_commit' || key === 'PLpgSQL_stmt_rollback') found.transaction = true;
    visit(inner, found);
  }
}

function expression(query: string, mode: number): readonly Tree[] {
  if (mode === statementMode) return parse(query).map((part) => part.tree);
  if (mode === expressionMode) return parse(`select ${query}`).map((part) => part.tree);
  if (!assignmentModes.includes(mode)) return [];
  let depth = 0;
  for (const token of scan(query)) {
    if (token.text === '[' || token.text === '(') depth++;
    else if (token.text === ']' || token.text === ')') depth--;
    else if (depth === 0 && (token.text === ':=' || token.text === '=')) {
      const bytes = Buffer.from(query);
      const target = bytes.subarray(0, token.start).toString();
      const value = bytes.subarray(token.end).toString();
      // A subscript of the target may call functions as well.
      return parse(`select ${value}${target.includes('[') ? `; select ${target}` : ''}`).map((part) => part.tree);
    }
  }
  return parse(`select ${query}`).map((part) => part.tree);
}

/** A dollar quote that the text cannot end early. */
export function dollarQuoted(text: string): string {
  let tag = 'body';
  while (text.includes(`$${tag}$`)) tag += '_';
  return `$${tag}$${text}$${tag}$`;
}
