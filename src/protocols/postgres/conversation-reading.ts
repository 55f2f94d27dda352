// The gateway's own reading through the session's link: what only this session sees (its search path, its uncommitted DDL,
// its temporary objects). Extended protocol under a reserved name, so that the client's unnamed statement survives (ADR 0010).
import { Fault } from '../../domain/fault.ts';
import { type Catalogue, ownCatalogueQueries, readCatalogue } from '../../sql/catalogue.ts';
import { targetMessage } from './codec.ts';
import { encodeBind, encodeClose, encodeExecute, encodeParse } from './codec-extended.ts';
import { decodeReport, sqlState } from './codec-report.ts';
import { Cells } from './codec-rows.ts';
import { encodeFlush, encodeSync } from './codec-simple.ts';
import { decodeReadyForQuery } from './codec-status.ts';
import { answer, expectation, type Reading } from './conversation-queue.ts';
import { setScope } from './conversation-scope.ts';
import { reservedName, type Talk } from './conversation-state.ts';
import { doubtsNames, forgetReplaced, namesQuery } from './conversation-unread.ts';

/** The role that counts for rights, the schemas that the server searches, implicit and temporary ones in their place, and which process it is. */
const pathQuery = `select current_user::pg_catalog.text, coalesce(s.name::pg_catalog.text, ''), pg_catalog.pg_backend_pid()::pg_catalog.text from (select 1) one
  left join pg_catalog.unnest(pg_catalog.current_schemas(true)) with ordinality s(name, place) on true order by s.place`;

/**
 * The catalogue's texts are read with an empty search path. Here it is set for the transaction only and set back for the
 * transaction only, which leaves what the client had set, SET LOCAL included, as it was (test: the search path survives).
 */
function queriesFor(catalogue: boolean): readonly string[] {
  if (!catalogue) return [pathQuery];
  return [
    pathQuery,
    `select pg_catalog.set_config('countersign.path', pg_catalog.current_setting('search_path'), true)`,
    ...ownCatalogueQueries.map((query) =>
      query.includes('set_config') ? `select pg_catalog.set_config('search_path', '', true)` : query,
    ),
    `select pg_catalog.set_config('search_path', pg_catalog.current_setting('countersign.path'), true)`,
  ];
}

/** All that a reading through a session's own link asks; each under `reservedName`. */
export const readingTexts: readonly string[] = [...queriesFor(true), namesQuery];

/** Starts a reading; the caller saw to it that nothing else is under way. */
export function startReading(talk: Talk, catalogue: boolean): void {
  const names = doubtsNames(talk);
  const queries = names ? [...queriesFor(catalogue), namesQuery] : queriesFor(catalogue);
  // A Sync would end the implicit transaction that a Query behind messages without one is left in (test: a query that reads the catalogue).
  const synced = !talk.segmentOpen && talk.status !== 'T';
  const { writer } = talk;
  for (const text of queries) {
    encodeParse(writer, { name: reservedName, text, types: [] });
    encodeBind(writer, { portal: reservedName, statement: reservedName, formats: [], parameters: [], results: [] });
    encodeExecute(writer, { portal: reservedName, limit: 0 });
    encodeClose(writer, { of: 'portal', name: reservedName });
    encodeClose(writer, { of: 'statement', name: reservedName });
  }
  if (synced) encodeSync(writer);
  else encodeFlush(writer);
  talk.reading = { catalogue, names, queries: queries.length, synced, results: [[]], bytes: 0, closes: 0 };
  talk.expected.push(expectation(answer.own, talk.segment, { swallow: true }));
  talk.sink.toTarget(writer.take(), talk.options.permit);
}

const cells = new Cells();
/** Bytes of the answer to `pathQuery`: the search path of a session is far shorter. */
const largestPath = 1 << 20;

/** Takes one answer of a reading. True when it was the last one. */
export function readingAnswer(
  talk: Talk,
  reading: Reading,
  type: number,
  buffer: Buffer,
  start: number,
  end: number,
): boolean {
  // Each answer costs more here than its bytes.
  reading.bytes += end - start + 64;
  if (reading.bytes > (reading.catalogue || reading.names ? talk.limits.readingBytes : largestPath)) throw unexpected();
  switch (type) {
    case targetMessage.dataRow: {
      const count = cells.read(buffer, start, end);
      const row: string[] = [];
      for (let index = 0; index < count; index++) {
        const offset = cells.offsets[index] as number;
        const length = cells.lengths[index] as number;
        row.push(length <= 0 ? '' : buffer.toString('utf8', offset, offset + length));
      }
      (reading.results[reading.results.length - 1] as string[][]).push(row);
      return false;
    }
    case targetMessage.commandComplete:
      reading.results.push([]);
      return false;
    case targetMessage.parseComplete:
    case targetMessage.bindComplete:
      return false;
    case targetMessage.closeComplete:
      reading.closes++;
      if (reading.synced || reading.closes < reading.queries * 2) return false;
      break;
    case targetMessage.readyForQuery:
      if (!reading.synced) throw unexpected();
      talk.status = decodeReadyForQuery(buffer, start, end);
      break;
    case targetMessage.errorResponse: {
      const state = decodeReport(buffer, start, end).get('C') ?? '';
      const code = sqlState.test(state) ? state : 'unknown';
      throw new Fault(
        'target.refused',
        `The gateway could not read the catalogue of the target (SQLSTATE ${code}), so nothing more can be judged in this session.`,
      );
    }
    default:
      throw unexpected();
  }
  talk.reading = undefined;
  finish(talk, reading);
  return true;
}

/** Too few results, or rows of another width, are the target's doing (test: nightly/corpus). */
function readResults(talk: Talk, results: readonly (readonly (readonly string[])[])[]): Catalogue {
  try {
    return readCatalogue(results, talk.options.labels(), talk.shared);
  } catch (error) {
    throw unexpected(error);
  }
}

function unexpected(cause?: unknown): Fault {
  return new Fault(
    'target.protocol',
    'The target answered a reading of its catalogue in a way that the protocol does not allow.',
    cause,
  );
}

/**
 * One server process serves this session alone for as long as it lasts: else another session's search path, temporary tables or prepared
 * statements would be those that our reading goes by (test: conformance/servers).
 */
function keptApart(talk: Talk, backend: string | undefined): void {
  if (backend === undefined) return;
  talk.backend ??= backend;
  if (talk.backend === backend && talk.options.ownBackend?.() !== backend) return;
  throw new Fault(
    'target.protocol',
    'The target does not keep sessions apart: one server process serves several of them. Reach it directly, or through a pooler in session mode.',
  );
}

function finish(talk: Talk, reading: Reading): void {
  const [path, , ...rest] = reading.results;
  const role = path?.[0]?.[0];
  if (role === undefined) throw unexpected();
  keptApart(talk, path?.[0]?.[2]);
  talk.needPath = false;
  if (reading.names) forgetReplaced(talk, reading.results[reading.queries - 1] ?? []);
  let { catalogue } = talk;
  if (reading.catalogue) {
    catalogue = readResults(talk, rest.slice(0, ownCatalogueQueries.length));
    talk.needCatalogue = false;
  }
  setScope(
    talk,
    catalogue,
    (path as string[][]).map((row) => row[1] as string).filter((name) => name !== ''),
    role,
  );
}
