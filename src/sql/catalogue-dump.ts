// A target's catalogue as one JSON text, so that statements can be read where the target cannot be reached.
import { createHash } from 'node:crypto';
import { type Catalogue, catalogueQueries, type LabelRule, readCatalogue } from './catalogue.ts';

export const dumpFormat = 'countersign-catalogue/1';

export interface CatalogueDump {
  readonly format: typeof dumpFormat;
  /** Which queries were asked: another version of ours asks others. */
  readonly queries: string;
  /** Role at the target, and the schemas that it searches, as the server says them. */
  readonly role: string;
  readonly searchPath: readonly string[];
  readonly results: readonly (readonly (readonly string[])[])[];
}

/** Role and search path, to be asked before `catalogueQueries`, which change the path. */
export const placeQuery = `select current_user::pg_catalog.text, pg_catalog.array_to_json(pg_catalog.current_schemas(true))::pg_catalog.text`;

const queriesDigest = createHash('sha256').update(catalogueQueries.join('\0')).digest('hex').slice(0, 16);

/** `place` is the row of `placeQuery`. */
export function makeDump(place: readonly string[], results: CatalogueDump['results']): CatalogueDump {
  const [role = '', searchPath = '[]'] = place;
  return {
    format: dumpFormat,
    queries: queriesDigest,
    role,
    searchPath: JSON.parse(searchPath) as string[],
    results,
  };
}

/** Throws an Error that says what is wrong with the text. */
export function parseDump(text: string): CatalogueDump {
  let value: Partial<CatalogueDump> | null;
  try {
    value = JSON.parse(text) as Partial<CatalogueDump> | null;
  } catch {
    throw new Error('it is not JSON');
  }
  if (value?.format !== dumpFormat || !Array.isArray(value.results))
    throw new Error('it is not what `countersign catalogue dump` writes');
  if (value.queries !== queriesDigest)
    throw new Error('another version wrote it: make it again with `countersign catalogue dump`');
  return value as CatalogueDump;
}

export function catalogueOf(dump: CatalogueDump, labels: readonly LabelRule[]): Catalogue {
  return readCatalogue(dump.results, labels);
}
