// The parser's WASM module, loaded by us so that it can be replaced: a text that ends it inside (out of stack, a trap) leaves the
// module's own stack unrestored, and after some dozens of those it answers nobody any more. So whatever is no answer of the
// parser's costs that instance, and a second one stands ready (test: parser, "is replaced").
import type { Node, ScanToken } from 'libpg-query';
import instantiate, { type Module } from 'libpg-query/wasm/libpg-query.js';

export interface RawStatement {
  readonly stmt?: Node;
  /** UTF-8 bytes; absent for 0 and for "to the end". */
  readonly stmt_location?: number;
  readonly stmt_len?: number;
}

/** What the server's grammar says against a text. `position` counts characters from 1; absent where it names none. */
export class GrammarError extends Error {
  readonly position: number | undefined;
  constructor(message: string, position?: number) {
    super(message);
    this.position = position;
  }
}

let current: Module | undefined;
let spare: Module | undefined;

/** Resolves once a parser and its replacement stand ready. */
export async function loadModules(): Promise<void> {
  current ??= await instantiate();
  spare ??= await instantiate();
}

/** Throws GrammarError for what the parser refuses; any other error means that this instance was given up. */
export function parseRaw(text: string): readonly RawStatement[] {
  return ask(text, (module, pointer) => {
    const result = module._wasm_parse_query_raw(pointer);
    if (!result) throw new Error('no answer');
    try {
      // PgQueryParseResult: tree, stderr, error. PgQueryError: message, function, file, line, cursor (pg_query.h).
      const error = module.getValue(result + 8, 'i32');
      if (error) {
        const cursor = module.getValue(error + 16, 'i32');
        throw new GrammarError(string(module, module.getValue(error, 'i32')), cursor > 0 ? cursor : undefined);
      }
      const tree = JSON.parse(string(module, module.getValue(result, 'i32'))) as { stmts?: RawStatement[] };
      return tree.stmts ?? [];
    } finally {
      module._wasm_free_parse_result(result);
    }
  });
}

/** As parseRaw. The tree of every PL/pgSQL body in a CREATE FUNCTION or DO statement. */
export function parsePlpgsqlRaw(text: string): unknown {
  return json(text, '_wasm_parse_plpgsql');
}

/** As parseRaw. */
export function scanRaw(text: string): readonly ScanToken[] {
  return (json(text, '_wasm_scan') as { tokens: ScanToken[] }).tokens;
}

/** As parseRaw. The same for texts that differ in constants only. */
export function fingerprintRaw(text: string): string {
  return ask(text, (module, pointer) => {
    const result = module._wasm_fingerprint(pointer);
    if (!result) throw new Error('no answer');
    try {
      const answer = string(module, result);
      if (!/^[0-9a-f]{1,32}$/.test(answer)) throw new GrammarError(answer);
      return answer;
    } finally {
      module._wasm_free_string(result);
    }
  });
}

function json(text: string, fn: '_wasm_parse_plpgsql' | '_wasm_scan'): unknown {
  return ask(text, (module, pointer) => {
    const result = module[fn](pointer);
    if (!result) throw new Error('no answer');
    try {
      const answer = string(module, result);
      // An answer is an object; anything else is the message of an error.
      if (!answer.startsWith('{')) throw new GrammarError(answer);
      return JSON.parse(answer) as unknown;
    } finally {
      module._wasm_free_string(result);
    }
  });
}

function ask<T>(text: string, question: (module: Module, pointer: number) => T): T {
  const module = current;
  if (module === undefined) throw new Error('the parser is being replaced');
  try {
    const bytes = module.lengthBytesUTF8(text) + 1;
    const pointer = module._malloc(bytes);
    if (!pointer) throw new Error('no memory');
    module.stringToUTF8(text, pointer, bytes);
    try {
      return question(module, pointer);
    } finally {
      module._free(pointer);
    }
  } catch (error) {
    if (!(error instanceof GrammarError) && current === module) replace();
    throw error;
  }
}

function replace(): void {
  current = spare;
  spare = undefined;
  void instantiate().then((fresh) => {
    if (current === undefined) {
      current = fresh;
      void loadModules();
    } else spare = fresh;
  });
}

const string = (module: Module, pointer: number) => (pointer ? module.UTF8ToString(pointer) : '');
