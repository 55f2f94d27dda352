import { type Form, guardrails } from './guardrail.ts';

/** Commands that run in no transaction block. */
const alone: readonly Form[] = ['simple', 'extended', 'prepared'];

/** Structure, rights, sessions and what outlives them. */
export const rights = guardrails({
  'a table dropped': 'drop table lines',
  'a table dropped with all that hangs on it': 'drop table stock cascade',
  'a schema dropped': 'drop schema hidden cascade',
  'a view dropped': 'drop view stock_view',
  'a function dropped': 'drop function purge_helper()',
  'a column dropped': 'alter table touched drop column note',
  'a column of another type': 'alter table touched alter note type varchar',
  'a table renamed': 'alter table lines rename to lines_old',
  'a column renamed': 'alter table stock rename amount to quantity',
  'a table moved': 'alter table lines set schema hidden',
  'a constraint dropped': 'alter table lines drop constraint lines_stock_id_fkey',
  'triggers switched off': 'alter table touched disable trigger all',
  'row security switched off': 'alter table accounts disable row level security',
  'row security switched on': 'alter table orders enable row level security',
  'a partition detached': 'alter table parted detach partition parted_low',
  'an owner changed': 'alter table lines owner to reader',
  'a type changed': "alter type mood add value 'wild'",
  'a sequence set back': 'alter sequence tickets restart with 1000',
  'rights written into the catalogue': "update pg_class set relacl = '{=arwd/admin}' where relname = 'stock'",
  'a column without its type, in the catalogue':
    "update pg_catalog.pg_attribute set attname = 'nothing' where attrelid = 'stock'::regclass and attname = 'item'",
  'a comment taken out of the catalogue':
    "insert into pg_description select oid, 'pg_class'::regclass, 0, 'planted' from pg_class where relname = 'stock'",
  'a catalogue row deleted': "delete from pg_constraint where conrelid = 'lines'::regclass",
  'rights on a table': 'grant all on stock to public',
  'rights on a column': 'grant update (amount) on stock to reader',
  'rights on all tables': 'grant select on all tables in schema public to reader',
  'rights taken': [
    'grant select on orders to reader',
    'revoke all on orders from reader',
    'grant insert on lines to reader',
  ],
  'rights by default': {
    steps: ['alter default privileges grant all on tables to public'],
    proof: 'select true from pg_default_acl',
  },
  membership: { steps: ['grant pg_read_all_data to reader'], after: 'revoke pg_read_all_data from reader' },
  'a new role': "create role intruder superuser login password 'x'",
  'a role made stronger': 'alter role reader superuser login',
  'a password': "alter role reader login password 'mine'",
  'a setting for a role': "alter role reader set search_path = 'hidden'",
  'a setting for the database': {
    steps: ["do $$ begin execute format('alter database %I set work_mem = 65536', current_database()); end $$"],
  },
  'a policy': 'create policy everyone on accounts using (true)',
  'another role': { steps: ['set role reader', 'select current_user'], hears: /reader/ },
  'another role for a transaction': {
    steps: ['begin', 'set local role reader', 'select current_user'],
    hears: /D[\s\S]*reader/,
  },
  'another role by a function': {
    steps: ["select set_config('role', 'reader', false)", 'select current_user'],
    hears: /D[\s\S]*reader/,
  },
  'another role by its authorization': {
    steps: ["set session authorization 'reader'", 'select session_user'],
    hears: /D[\s\S]*reader/,
  },
  'another role in a block': {
    steps: ["do $$ begin execute 'set role reader'; end $$", 'select current_user'],
    hears: /D[\s\S]*reader/,
  },
  'another role by a prepared statement': {
    steps: ["prepare r as select set_config('role', 'reader', false)", 'execute r', 'select current_user'],
    hears: /D[\s\S]*reader/,
  },
  'a transaction prepared': {
    steps: ['begin', "insert into log values ('2pc')", "prepare transaction 'gone'"],
    proof: "select true from pg_prepared_xacts where gid = 'gone'",
    after: "rollback prepared 'gone'",
    forms: alone,
  },
  'triggers off by a setting': ['set session_replication_role = replica', 'insert into lines values (999, 999)'],
  'triggers off by a function': [
    "select set_config('session_replication_role', 'replica', false)",
    'insert into lines values (999, 999)',
  ],
  'quotes by another rule': {
    steps: ['set standard_conforming_strings = off', "select '\\'; delete from stock; --'"],
    hears: /D[\s\S]*'; delete/,
    forms: ['simple'],
  },
  'another encoding': { steps: ["set client_encoding = 'SJIS'", 'show client_encoding'], hears: /D[\s\S]*SJIS/i },
  'a setting of the server': {
    steps: ["alter system set work_mem = '65MB'"],
    proof: "select true from pg_file_settings where name = 'work_mem' and setting = '65MB'",
    after: 'alter system reset all',
    forms: alone,
  },
  'a publication of everything': 'create publication everything for all tables',
  'a new extension': 'create extension dblink',
  'a new database': {
    steps: ['create database stray_copy'],
    forms: alone,
    proof: "select true from pg_database where datname = 'stray_copy'",
    after: 'drop database stray_copy',
  },
  'a table of another server': [
    'create extension postgres_fdw',
    "create server elsewhere foreign data wrapper postgres_fdw options (host '127.0.0.1')",
  ],
  'a view replaced': 'create or replace view stock_view as select id, item, 0 as amount from stock',
  'a comment on nothing important, and a drop': {
    steps: ["comment on table stock is 'x'; drop table lines"],
    forms: ['simple'],
  },
  'a table rewritten': {
    steps: ['vacuum full stock'],
    forms: alone,
    proof: "select pg_relation_filenode('public.stock') <> 'public.stock'::regclass::oid",
  },
  'an index rebuilt': {
    steps: ['reindex table stock'],
    proof: "select relfilenode <> oid from pg_class where oid = 'public.stock_pkey'::regclass",
  },
  'a table clustered': {
    steps: ['cluster stock using stock_pkey'],
    proof: "select relfilenode <> oid from pg_class where oid = 'public.stock'::regclass",
  },
});
