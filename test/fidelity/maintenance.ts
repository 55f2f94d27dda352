// What monitoring and the people who keep a database well ask of it.
import type { Ordinary } from './ordinary.ts';

export const maintenance: readonly Ordinary[] = [
  {
    sql: `select relname, seq_scan, idx_scan, n_tup_ins, n_live_tup, n_dead_tup, last_autovacuum from pg_stat_user_tables order by relname`,
    moving: true,
  },
  {
    sql: `select indexrelname, idx_scan, pg_size_pretty(pg_relation_size(indexrelid)) from pg_stat_user_indexes order by 1`,
    moving: true,
  },
  { sql: `select relname, heap_blks_read, heap_blks_hit from pg_statio_user_tables order by relname`, moving: true },
  {
    sql: `select datname, numbackends, xact_commit, blks_hit, deadlocks from pg_stat_database order by datname`,
    moving: true,
  },
  { sql: `select count(*), state from pg_stat_activity group by state order by 2`, moving: true },
  {
    sql: `select pid, state, wait_event_type, now() - query_start as running from pg_stat_activity where state <> 'idle' order by 4 desc`,
    moving: true,
  },
  { sql: `select pid, pg_blocking_pids(pid) from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0` },
  {
    sql: `select locktype, relation::regclass, mode, granted from pg_locks where relation is not null and pid <> pg_backend_pid() order by 2::text, 3`,
    moving: true,
  },
  { sql: `select pg_database_size(current_database()) > 0` },
  {
    sql: `select relname, pg_total_relation_size(oid) as bytes from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 2 desc, 1`,
    moving: true,
  },
  {
    sql: `select c.relname, c.reltuples::bigint, c.relpages, age(c.relfrozenxid) from pg_class c where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace order by 1`,
    moving: true,
  },
  { sql: `select datname, age(datfrozenxid) from pg_database order by 1`, moving: true },
  { sql: `select * from pg_stat_bgwriter`, moving: true },
  { sql: `select archived_count, failed_count from pg_stat_archiver`, moving: true },
  { sql: `select slot_name, active from pg_replication_slots` },
  { sql: `select client_addr, state, sync_state from pg_stat_replication` },
  { sql: `select pg_is_in_recovery(), pg_postmaster_start_time() < now()` },
  {
    sql: `select name, setting, unit, context from pg_settings where name in ('work_mem', 'shared_buffers', 'max_connections') order by 1`,
  },
  {
    sql: `select schemaname, tablename, indexname, indexdef from pg_indexes where schemaname = 'public' order by 2, 3`,
  },
  { sql: `select schemaname, sequencename, last_value from pg_sequences order by 2`, moving: true },
  {
    sql: `select tablename, attname, null_frac, avg_width, n_distinct from pg_stats where schemaname = 'public' and tablename = 'orders' order by 2`,
  },
  { sql: `select conrelid::regclass, conname from pg_constraint where not convalidated` },
  { sql: `select i.indexrelid::regclass from pg_index i where not i.indisvalid` },
  {
    sql: `select t.relname, i.indexrelid::regclass from pg_stat_user_indexes s join pg_index i using (indexrelid) join pg_class t on t.oid = i.indrelid where s.idx_scan = 0 and not i.indisunique order by 2::text`,
    moving: true,
  },
  { sql: `select funcname, calls, total_time from pg_stat_user_functions order by 1`, moving: true },
  { sql: `show max_connections` },
  { sql: `select current_setting('work_mem'), current_setting('app.tenant', true)` },
  { sql: `set application_name = 'nightly report'` },
  { sql: `select txid_current_if_assigned() is null as idle`, moving: true },
  { sql: `select pg_backend_pid() > 0, pg_current_wal_lsn() is not null, pg_size_pretty(1024::bigint)` },
];
