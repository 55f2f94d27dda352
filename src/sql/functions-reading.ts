// Which of PostgreSQL's own functions read more than their arguments though they change nothing: the catalogue's facts, the
// texts that it keeps, and statistics. Reviewed against every stable function of PostgreSQL 18 (test: functions.test.ts); an
// immutable one reads nothing, by the server's own promise.

/** catalogue: names, rights and properties. text: definitions and expressions as they were written. statistics: counters of use. */
export type Reads = 'catalogue' | 'text' | 'statistics';

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

const texts = words(
  `pg_get_constraintdef pg_get_expr pg_get_function_arg_default pg_get_function_arguments pg_get_function_identity_arguments
   pg_get_function_sqlbody pg_get_functiondef pg_get_indexdef pg_get_partition_constraintdef pg_get_partkeydef
   pg_get_publication_tables pg_get_ruledef pg_get_statisticsobjdef pg_get_statisticsobjdef_columns
   pg_get_statisticsobjdef_expressions pg_get_triggerdef pg_get_viewdef col_description obj_description shobj_description
   pg_options_to_table pg_show_all_settings`,
);

const catalogue = words(
  `current_schema current_schemas enum_first enum_last enum_range format_type oidvectortypes pg_basetype pg_char_to_encoding
   pg_collation_for pg_column_is_updatable pg_describe_object pg_encoding_to_char pg_filenode_relation pg_get_acl
   pg_get_catalog_foreign_keys pg_get_function_result pg_get_object_address pg_get_replica_identity_index pg_get_serial_sequence
   pg_get_userbyid pg_has_role pg_identify_object pg_identify_object_as_address pg_index_column_has_property
   pg_index_has_property pg_indexam_has_property pg_is_other_temp_schema pg_my_temp_schema pg_relation_filenode
   pg_relation_filepath pg_relation_is_publishable pg_relation_is_updatable pg_replication_origin_oid pg_sequence_parameters
   pg_settings_get_flags pg_tablespace_databases pg_tablespace_location pg_typeof row_security_active ts_debug ts_token_type
   pg_available_extensions pg_available_extension_versions pg_extension_update_paths pg_get_replication_slots pg_get_keywords
   pg_event_trigger_ddl_commands pg_event_trigger_dropped_objects pg_event_trigger_table_rewrite_oid
   pg_event_trigger_table_rewrite_reason pg_listening_channels pg_timezone_names pg_timezone_abbrevs_abbrevs
   pg_timezone_abbrevs_zone pg_partition_root regclass get_current_ts_config aclexplode
   current_setting enum_in enum_out enum_recv enum_send`,
);

const families: readonly (readonly [RegExp, Reads])[] = [
  [/^pg_stat_get_/, 'statistics'],
  [/^pg_\w+_is_visible$|^has_\w+_privilege$|^to_reg\w+$|^reg\w+(in|out)$/, 'catalogue'],
];

/** Undefined for a function that computes from its arguments, the session and the clock. */
export function readsOf(name: string): Reads | undefined {
  if (texts.has(name)) return 'text';
  if (catalogue.has(name)) return 'catalogue';
  return families.find(([pattern]) => pattern.test(name))?.[1];
}

/** The server's own views over functions that read its files (test: functions.test.ts asks the server for all such views). */
export const fileViews: ReadonlySet<string> = words(
  'pg_file_settings pg_hba_file_rules pg_ident_file_mappings pg_config',
);

/** Stable at the server, and yet nothing but arguments, time zone, clock, transaction and session are in their results. */
export const reviewedPure: ReadonlySet<string> = words(
  `aclitemin aclitemout age anytextcat array_to_json array_to_string array_typanalyze concat concat_ws convert convert_from
   convert_to current_database current_user date date_add date_cmp_timestamptz date_eq_timestamptz
   date_ge_timestamptz date_gt_timestamptz date_le_timestamptz date_lt_timestamptz date_ne_timestamptz date_part date_subtract
   date_trunc extract format generate_series getdatabaseencoding getpgusername in_range inet_client_addr inet_client_port
   inet_server_addr inet_server_port interval_pl_timestamptz json_agg json_agg_strict json_agg_strict_transfn json_agg_transfn
   json_build_array json_build_object json_object_agg json_object_agg_strict json_object_agg_strict_transfn
   json_object_agg_transfn json_object_agg_unique json_object_agg_unique_strict json_object_agg_unique_strict_transfn
   json_object_agg_unique_transfn json_populate_record json_populate_recordset json_to_record json_to_recordset
   json_to_tsvector jsonb_agg jsonb_agg_finalfn jsonb_agg_strict jsonb_agg_strict_transfn jsonb_agg_transfn jsonb_build_array
   jsonb_build_object jsonb_object_agg jsonb_object_agg_finalfn jsonb_object_agg_strict jsonb_object_agg_strict_transfn
   jsonb_object_agg_transfn jsonb_object_agg_unique jsonb_object_agg_unique_strict jsonb_object_agg_unique_strict_transfn
   jsonb_object_agg_unique_transfn jsonb_path_exists_tz jsonb_path_match_tz jsonb_path_query_array_tz
   jsonb_path_query_first_tz jsonb_path_query_tz jsonb_populate_record jsonb_populate_record_valid jsonb_populate_recordset
   jsonb_to_record jsonb_to_recordset jsonb_to_tsvector length make_timestamptz money multirange_typanalyze mxid_age now
   numeric overlaps pg_backend_pid pg_client_encoding pg_column_compression pg_column_size pg_column_toast_chunk_id
   pg_conf_load_time pg_current_snapshot pg_current_xact_id pg_current_xact_id_if_assigned pg_input_error_info
   pg_input_is_valid pg_numa_available pg_postmaster_start_time pg_split_walfile_name pg_trigger_depth phraseto_tsquery
   plainto_tsquery quote_literal quote_nullable range_typanalyze row_to_json session_user statement_timestamp system_user
   textanycat time timestamp timestamp_cmp_timestamptz timestamp_eq_timestamptz timestamp_ge_timestamptz
   timestamp_gt_timestamptz timestamp_le_timestamptz timestamp_lt_timestamptz timestamp_ne_timestamptz timestamptz
   timestamptz_cmp_date timestamptz_cmp_timestamp timestamptz_eq_date timestamptz_eq_timestamp timestamptz_ge_date
   timestamptz_ge_timestamp timestamptz_gt_date timestamptz_gt_timestamp timestamptz_le_date timestamptz_le_timestamp
   timestamptz_lt_date timestamptz_lt_timestamp timestamptz_mi_interval timestamptz_ne_date timestamptz_ne_timestamp
   timestamptz_pl_interval timetz timezone to_char to_date to_json to_jsonb to_number to_timestamp to_tsquery to_tsvector
   transaction_timestamp ts_headline ts_match_tq ts_match_tt ts_parse ts_typanalyze txid_current txid_current_if_assigned
   txid_current_snapshot version websearch_to_tsquery xml xml_is_well_formed`,
);
