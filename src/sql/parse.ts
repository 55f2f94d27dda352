// SQL text → the server's own parse tree (libpg_query 18, WASM). Total: whatever the parser does, the answer is a tree or a Fault.
import type { Node, ScanToken } from 'libpg-query';
import { Fault } from '../domain/fault.ts';
import { depthOf, mostDepth } from './depth.ts';
import { GrammarError, loadModules, parsePlpgsqlRaw, parseRaw, type RawStatement, scanRaw } from './parser.ts';

type Intersection<U> = (U extends unknown ? (u: U) => void : never) extends (i: infer I) => void ? I : never;

/** A wrapped node: one key, the node's kind, with its body. */
export type Tree = Partial<Intersection<Node>>;

/** Every kind of node the grammar can produce. */
export type Kind = keyof Tree;

export interface Parsed {
  readonly tree: Tree;
  readonly kind: Kind;
  /** UTF-8 byte offsets of the statement in the whole text, leading blanks included. */
  readonly start: number;
  readonly end: number;
}

/** What the server would have answered; `position` counts characters from 1. */
export interface SyntaxFault {
  readonly sqlstate: string;
  readonly message: string;
  readonly position?: number;
}

export type PlpgsqlNode = { readonly [key: string]: unknown };

/** Default limit of one text, in UTF-16 units. */
export const maxTextLength = 1 << 20;

/** Call once before anything else here; parses once so that the first statement does not pay for the warm-up. */
export async function loadParser(): Promise<void> {
  await loadModules();
  parseRaw('select 1');
}

/** Throws Fault('statement.not-understood'); for a syntax error its cause is a SyntaxFault. */
export function parse(sql: string, limit: number = maxTextLength): readonly Parsed[] {
  if (sql.length > limit)
    throw notUnderstood(
      `The statement is longer than ${limit} characters. Send it in smaller parts, or load data with COPY … FROM STDIN.`,
      { sqlstate: '54000', message: 'statement too long' },
    );
  // The C string ends at NUL, so text behind one would run without having been read.
  const nul = sql.indexOf('\0');
  if (nul >= 0)
    throw notUnderstood('The statement contains a NUL character. Remove it and send the statement again.', {
      sqlstate: '22021',
      message: 'invalid byte sequence for encoding "UTF8": 0x00',
    });
  // A lone surrogate has no UTF-8 form: what the parser reads would not be what the server reads.
  if (!sql.isWellFormed())
    throw notUnderstood('The statement is not valid UTF-8. Encode it as UTF-8 and send it again.', {
      sqlstate: '22021',
      message: 'invalid byte sequence for encoding "UTF8"',
    });
  if (sql.trim() === '') return [];
  // Short texts cannot nest that deep, and are most of them.
  if (sql.length > mostDepth && depthOf(sql) > mostDepth) throw tooComplex();
  let statements: readonly RawStatement[];
  try {
    statements = parseRaw(sql);
  } catch (error) {
    throw asFault(error);
  }
  const bytes = Buffer.byteLength(sql);
  return statements.map((raw) => {
    const start = raw.stmt_location ?? 0;
    const tree = raw.stmt as Tree;
    return { tree, kind: kindOf(tree), start, end: raw.stmt_len ? start + raw.stmt_len : bytes };
  });
}

/** The single key of a wrapped node. */
export function kindOf(tree: Tree): Kind {
  for (const kind in tree) return kind as Kind;
  throw notUnderstood('The statement has a part that is not understood. Write it in a simpler form.');
}

/** Trees of the PL/pgSQL functions in a `CREATE FUNCTION` or `DO` text. Throws when the body cannot be read. */
export function parsePlpgsql(text: string): PlpgsqlNode {
  try {
    return parsePlpgsqlRaw(text) as PlpgsqlNode;
  } catch (error) {
    throw asFault(error);
  }
}

/** Tokens with byte offsets, comments included, as the server's lexer sees them. */
export function scan(text: string): readonly ScanToken[] {
  if (text === '') return [];
  try {
    return scanRaw(text);
  } catch (error) {
    throw asFault(error);
  }
}

/** The Fault for a text that this gateway does not forward. The message says what to do; it never quotes values. */
export function notUnderstood(message: string, cause?: SyntaxFault): Fault {
  return new Fault('statement.not-understood', message, cause);
}

function asFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof GrammarError) {
    const { message, position } = error;
    return notUnderstood('The statement has a syntax error. Correct it and send it again.', {
      sqlstate: message.startsWith('memory exhausted') ? '53200' : '42601',
      message,
      ...(position === undefined ? {} : { position }),
    });
  }
  // A RangeError, a WASM trap, a broken answer, a parser that is being replaced: all the same to the client.
  return tooComplex();
}

function tooComplex(): Fault {
  return notUnderstood('The statement is too complex to be understood. Split it or nest it less deeply.', {
    sqlstate: '54001',
    message: 'stack depth limit exceeded',
  });
}
