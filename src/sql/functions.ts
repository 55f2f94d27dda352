// What PostgreSQL's own functions do. Reviewed against every volatile function of PostgreSQL 18 (test: functions.test.ts
// compares with a real server): a function absent here changes nothing; what it reads is in functions-reading.ts.
import type { Action } from '../domain/effect.ts';

export interface BuiltIn {
  readonly action: Action;
  /** It runs or reads what its arguments name at run time, so its effects cannot be read from the text. */
  readonly unreadable?: true;
  /** For policies: the family of the function. */
  readonly family: string;
}

const table = new Map<string, BuiltIn>();

function family(name: string, action: Action, functions: string, unreadable?: true): void {
  const entry: BuiltIn = unreadable ? { action, unreadable, family: name } : { action, family: name };
  for (const fn of functions.split(/\s+/)) if (fn !== '') table.set(fn, entry);
}

// Arguments that are SQL, or the name of a table whose rows come back as text.
family(
  'sql-in-text',
  'sql:call',
  `query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml cursor_to_xmlschema
   table_to_xml table_to_xmlschema table_to_xml_and_xmlschema schema_to_xml schema_to_xmlschema schema_to_xml_and_xmlschema
   database_to_xml database_to_xmlschema database_to_xml_and_xmlschema ts_stat ts_rewrite
   dblink dblink_exec dblink_open dblink_fetch dblink_close dblink_send_query dblink_get_result dblink_connect dblink_connect_u
   dblink_build_sql_insert dblink_build_sql_update dblink_build_sql_delete crosstab crosstab2 crosstab3 crosstab4 connectby
   xpath_table`,
  true,
);
// Text or rows of other sessions and of the change stream.
family(
  'other-sessions',
  'sql:call',
  `pg_stat_get_activity pg_stat_get_backend_activity pg_prepared_statement pg_cursor pg_prepared_xact pg_mcv_list_items
   pg_logical_slot_get_changes pg_logical_slot_get_binary_changes pg_logical_slot_peek_changes
   pg_logical_slot_peek_binary_changes pg_logical_emit_message currtid2`,
  true,
);
family(
  'file',
  'sql:file_read',
  `pg_read_file pg_read_binary_file pg_stat_file pg_ls_dir pg_ls_logdir pg_ls_waldir pg_ls_archive_statusdir pg_ls_tmpdir
   pg_ls_logicalmapdir pg_ls_logicalsnapdir pg_ls_replslotdir pg_ls_summariesdir pg_current_logfile pg_hba_file_rules
   pg_ident_file_mappings pg_show_all_file_settings lo_import pg_logdir_ls pg_file_read pg_file_length pg_read_file_old
   pg_wal_summary_contents pg_available_wal_summaries pg_get_wal_summarizer_state pg_config`,
);
family(
  'file',
  'sql:file_write',
  'lo_export pg_file_write pg_file_rename pg_file_unlink pg_file_sync pg_rotate_logfile',
);
family('large-object-read', 'sql:call', 'lo_get loread lo_open lo_lseek lo_lseek64 lo_tell lo_tell64 lo_close', true);
family(
  'large-object-write',
  'sql:call',
  'lo_creat lo_create lo_from_bytea lo_put lowrite lo_truncate lo_truncate64 lo_unlink',
  true,
);
family('sequence', 'sql:update', 'nextval setval');
family('setting', 'sql:session', 'set_config setseed pg_export_snapshot pg_stat_clear_snapshot');
family('notify', 'sql:notify', 'pg_notify');
family(
  'lock',
  'sql:lock',
  `pg_sleep pg_sleep_for pg_sleep_until pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all
   pg_advisory_unlock_shared pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_lock pg_try_advisory_lock_shared
   pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared`,
);
family(
  'statistics',
  'sql:maintain',
  `pg_stat_reset pg_stat_reset_backend_stats pg_stat_reset_replication_slot pg_stat_reset_shared
   pg_stat_reset_single_function_counters pg_stat_reset_single_table_counters pg_stat_reset_slru
   pg_stat_reset_subscription_stats pg_stat_force_next_flush pg_clear_attribute_stats pg_clear_relation_stats
   pg_restore_attribute_stats pg_restore_relation_stats pg_stat_statements_reset brin_desummarize_range
   brin_summarize_new_values brin_summarize_range gin_clean_pending_list pg_import_system_collations pg_extension_config_dump`,
);
// Acts on the server itself.
family(
  'server',
  'sql:call',
  `pg_terminate_backend pg_cancel_backend pg_reload_conf pg_switch_wal pg_switch_xlog pg_promote pg_backup_start pg_backup_stop
   pg_start_backup pg_stop_backup pg_create_restore_point pg_wal_replay_pause pg_wal_replay_resume pg_log_backend_memory_contexts
   pg_log_standby_snapshot pg_create_physical_replication_slot pg_create_logical_replication_slot
   pg_copy_physical_replication_slot pg_copy_logical_replication_slot pg_drop_replication_slot pg_replication_slot_advance
   pg_sync_replication_slots pg_replication_origin_create pg_replication_origin_drop pg_replication_origin_advance
   pg_replication_origin_session_setup pg_replication_origin_session_reset pg_replication_origin_xact_setup
   pg_replication_origin_xact_reset pg_stop_making_pinned_objects pg_nextoid`,
);

// Input functions of types that are made of others: called by name they run the CHECK constraints of any domain.
family(
  'internal',
  'sql:call',
  'domain_in domain_recv array_in array_recv record_in record_recv range_in range_recv multirange_in multirange_recv',
  true,
);

// Called by the server alone or only during an upgrade; a statement that names one is out of the ordinary.
const internal = /^(binary_upgrade_|plpgsql_|fmgr_.*_validator$|dsnowball_)/;

/** Volatile in the catalogue, yet they change nothing: clocks, randomness, reports. The review's other half. */
export const reviewedHarmless: ReadonlySet<string> = new Set(
  `amvalidate array_sample array_shuffle bernoulli brinhandler bthandler clock_timestamp current_query currval
   gen_random_uuid ginhandler gisthandler hashhandler heap_tableam_handler lastval pg_blocking_pids
   pg_collation_actual_version pg_control_checkpoint pg_control_init pg_control_recovery pg_control_system
   pg_current_wal_flush_lsn pg_current_wal_insert_lsn pg_current_wal_lsn pg_database_collation_actual_version
   pg_database_size pg_get_aios pg_get_backend_memory_contexts pg_get_loaded_modules pg_get_multixact_members
   pg_get_sequence_data pg_get_shmem_allocations pg_get_shmem_allocations_numa pg_get_wait_events
   pg_get_wal_replay_pause_state pg_get_wal_resource_managers pg_indexes_size pg_is_in_recovery pg_is_wal_replay_paused
   pg_isolation_test_session_is_blocked pg_jit_available pg_last_committed_xact pg_last_wal_receive_lsn
   pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_lock_status pg_notification_queue_usage
   pg_partition_ancestors pg_partition_tree pg_relation_size pg_replication_origin_progress
   pg_replication_origin_session_is_setup pg_replication_origin_session_progress pg_safe_snapshot_blocking_pids
   pg_sequence_last_value pg_show_replication_origin_status pg_stat_get_backend_io pg_stat_get_backend_wal pg_stat_get_io
   pg_stat_get_recovery_prefetch pg_stat_get_xact_blocks_fetched pg_stat_get_xact_blocks_hit pg_stat_get_xact_function_calls
   pg_stat_get_xact_function_self_time pg_stat_get_xact_function_total_time pg_stat_get_xact_numscans
   pg_stat_get_xact_tuples_deleted pg_stat_get_xact_tuples_fetched pg_stat_get_xact_tuples_hot_updated
   pg_stat_get_xact_tuples_inserted pg_stat_get_xact_tuples_newpage_updated pg_stat_get_xact_tuples_returned
   pg_stat_get_xact_tuples_updated pg_stat_have_stats pg_table_size pg_tablespace_size pg_total_relation_size
   pg_xact_commit_timestamp pg_xact_commit_timestamp_origin pg_xact_status random random_normal spghandler system timeofday
   txid_status uuidv4 uuidv7`.split(/\s+/),
);

/** The reviewed class of a function of `pg_catalog` (or of an extension that installs into it); undefined when it changes nothing. */
export function builtIn(name: string): BuiltIn | undefined {
  return (
    table.get(name) ?? (internal.test(name) ? { action: 'sql:call', unreadable: true, family: 'internal' } : undefined)
  );
}

/** Volatile functions of widespread extensions that only compute. */
export const extensionHarmless: ReadonlySet<string> = new Set(
  `uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 gen_random_bytes gen_random_uuid gen_salt pgp_sym_encrypt
   pgp_sym_encrypt_bytea pgp_pub_encrypt normal_rand`.split(/\s+/),
);
