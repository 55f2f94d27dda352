// What is known of PostgreSQL's own functions and operators for lineage: which cannot fail for some values of an argument,
// which read by name, and which extensions only compute. What is not listed is treated as if it could tell.
import type { Routine } from './catalogue.ts';
import { builtIn } from './functions.ts';

/**
 * Operators that give a result for every value of their operands. Arithmetic is not among them: overflow and division by
 * zero answer questions about a value that the result would hide.
 */
export const totalOperators: ReadonlySet<string> = new Set(
  '|| = <> < > <= >= ~ !~ ~* !~* ~~ !~~ ~~* !~~* -> ->> #> #>> @> <@ && ? ?| ?& ^@ << >> &< &> -|- @@ << >>='.split(
    ' ',
  ),
);

/** Functions that give a result for every value of any argument (a client's own bad pattern or format aside). */
const total: ReadonlySet<string> = new Set(
  `count min max sum avg array_agg string_agg json_agg jsonb_agg json_object_agg jsonb_object_agg xmlagg bool_and bool_or every
   any_value bit_and bit_or bit_xor stddev stddev_pop stddev_samp variance var_pop var_samp corr covar_pop covar_samp mode
   percentile_cont percentile_disc range_agg range_intersect_agg json_agg_strict jsonb_agg_strict
   lag lead first_value last_value nth_value rank dense_rank percent_rank cume_dist row_number ntile
   lower upper initcap length char_length character_length octet_length bit_length reverse md5 sha224 sha256 sha384 sha512
   crc32 crc32c concat concat_ws substr substring left right btrim ltrim rtrim trim replace translate split_part strpos position
   overlay ascii starts_with quote_ident quote_literal quote_nullable encode format to_char regexp_replace regexp_match
   regexp_matches regexp_substr regexp_count regexp_instr regexp_like regexp_split_to_array regexp_split_to_table
   string_to_array string_to_table array_to_string array_length array_lower array_upper array_ndims array_dims cardinality
   array_append array_prepend array_cat array_remove array_replace array_position array_positions array_sort array_reverse
   unnest to_json to_jsonb row_to_json array_to_json json_build_object jsonb_build_object json_build_array jsonb_build_array
   json_object jsonb_object json_typeof jsonb_typeof json_strip_nulls jsonb_strip_nulls jsonb_pretty
   date_part date_trunc extract age timezone to_tsvector to_tsquery plainto_tsquery websearch_to_tsquery phraseto_tsquery ts_rank
   ts_rank_cd ts_headline similarity word_similarity show_trgm levenshtein soundex metaphone dmetaphone unaccent
   abs ceil ceiling floor round trunc sign hash hashtext host text network masklen family abbrev set_masklen
   isfinite isempty lower_inc upper_inc lower_inf upper_inf num_nulls num_nonnulls pg_typeof pg_column_size
   greatest least nullif coalesce convert_to textcat textlike textnotlike texteq textne textlen upper lower
   hashtextextended hmac digest crypt nlevel`.split(/\s+/),
);

/** Rows for the parts of a document or array: their number tells its size only. */
const unfolding: ReadonlySet<string> = new Set(
  `unnest json_array_elements json_array_elements_text jsonb_array_elements jsonb_array_elements_text json_each json_each_text
   jsonb_each jsonb_each_text json_object_keys jsonb_object_keys`.split(/\s+/),
);

export function unfolds(name: string): boolean {
  return unfolding.has(name);
}

/** Their result says nothing of the argument's value. */
// Of large objects: descriptors, OIDs, states and counts of what the client itself sent. Positions tell a length, so they are not here.
const silent: ReadonlySet<string> = new Set(
  'pg_typeof lo_open lo_close lo_creat lo_create lo_unlink lo_truncate lo_truncate64 lowrite lo_put lo_from_bytea'.split(
    ' ',
  ),
);

export function isTotal(name: string): boolean {
  return total.has(name);
}

export function isSilent(name: string): boolean {
  return silent.has(name);
}

/** Reads what its arguments name, files, other sessions or large objects: its result may carry anything. */
export function readsByName(name: string): boolean {
  const entry = builtIn(name);
  return entry?.unreadable === true || entry?.action === 'sql:file_read' || stores.has(name);
}

// Not in the effects' table because they change nothing; what they show of the catalogue may quote values.
const stores: ReadonlySet<string> = new Set(['pg_show_all_settings']);

/** It keeps, sends or shows its arguments where their label does not follow. */
export function keepsArguments(name: string): boolean {
  return builtIn(name) !== undefined;
}

const computing: ReadonlySet<string> = new Set(
  `plpgsql uuid-ossp pgcrypto pg_trgm citext hstore ltree unaccent fuzzystrmatch btree_gin btree_gist intarray cube earthdistance isn
   seg postgis vector tsm_system_rows tsm_system_time dict_int dict_xsyn bloom pg_uuidv7`.split(/\s+/),
);

/** The server's own (OIDs below 16384 are its initial contents), or compiled in an extension known to compute from its arguments alone. */
export function pureRoutine(routine: Routine): boolean {
  if (routine.extension === undefined)
    return routine.oid < 16_384 && (routine.schema === 'pg_catalog' || routine.schema === 'information_schema');
  if (!computing.has(routine.extension)) return false;
  return routine.language === 'c' || routine.language === 'internal';
}
