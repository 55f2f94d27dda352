// What object-relational mappers and migration tools ask at start-up and all day, in their manner.
import type { Ordinary } from './ordinary.ts';

const tables = `('r', 'p', 'v', 'm', 'f')`;

export const frameworks: readonly Ordinary[] = [
  // Django
  { sql: "SELECT set_config('TimeZone', 'UTC', false)" },
  { sql: 'SHOW server_version' },
  {
    sql: `SELECT c.relname, CASE WHEN c.relispartition THEN 'p' WHEN c.relkind IN ('m', 'v') THEN 'v' ELSE 't' END, obj_description(c.oid, 'pg_class') FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ${tables} AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1`,
  },
  {
    sql: `SELECT a.attname AS column_name, NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) AS is_nullable, pg_get_expr(ad.adbin, ad.adrelid) AS column_default, CASE WHEN collname = 'default' THEN NULL ELSE collname END AS collation, a.attidentity != '' AS is_autofield, col_description(a.attrelid, a.attnum) AS column_comment FROM pg_attribute a LEFT JOIN pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum LEFT JOIN pg_collation co ON a.attcollation = co.oid JOIN pg_type t ON a.atttypid = t.oid JOIN pg_class c ON a.attrelid = c.oid JOIN pg_namespace n ON c.relnamespace = n.oid WHERE c.relkind IN ${tables} AND c.relname = $1 AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY a.attnum`,
    values: ['customers'],
  },
  {
    sql: 'SELECT "django_migrations"."id", "django_migrations"."app", "django_migrations"."name", "django_migrations"."applied" FROM "django_migrations"',
  },
  {
    sql: `INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('shop', '0002_more', '2026-02-01 00:00:00+00') RETURNING "django_migrations"."id"`,
  },
  {
    sql: 'SELECT "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined" FROM "auth_user" WHERE "auth_user"."username" = $1 LIMIT 21',
    values: ['ines'],
    pii: ['email'],
    other: ['password'],
  },
  {
    sql: 'SELECT COUNT(*) AS "__count" FROM "customers" WHERE ("customers"."country" = $1 AND "customers"."email" = $2)',
    values: ['PT', 'ana.lopes@mail.example'],
  },
  { sql: 'SELECT 1 AS "a" FROM "customers" WHERE "customers"."email" = $1 LIMIT 1', values: ['nobody@mail.example'] },
  {
    sql: 'UPDATE "auth_user" SET "last_login" = $1 WHERE "auth_user"."id" = $2',
    values: ['2026-03-01 00:00:00+00', '1'],
  },
  {
    sql: 'SELECT "customers"."id", "customers"."name", COUNT("orders"."id") AS "n" FROM "customers" LEFT OUTER JOIN "orders" ON ("customers"."id" = "orders"."customer_id") GROUP BY "customers"."id" HAVING COUNT("orders"."id") > 2 ORDER BY "customers"."name" ASC',
  },
  { sql: 'SELECT DISTINCT "customers"."country" FROM "customers" ORDER BY "customers"."country" ASC' },
  {
    sql: [
      'SAVEPOINT "s1_x1"',
      `UPDATE "stock" SET "quantity" = ("stock"."quantity" - 1) WHERE "stock"."product_id" = 1`,
      'RELEASE SAVEPOINT "s1_x1"',
    ],
  },
  {
    sql: `SELECT conname, array(SELECT attname FROM unnest(conkey) WITH ORDINALITY cols(colid, arridx) JOIN pg_attribute AS ca ON cols.colid = ca.attnum WHERE ca.attrelid = c.conrelid ORDER BY cols.arridx), contype, (SELECT fkc.relname || '.' || fka.attname FROM pg_attribute AS fka JOIN pg_class AS fkc ON fka.attrelid = fkc.oid WHERE fka.attrelid = c.confrelid AND fka.attnum = c.confkey[1]), cl.reloptions FROM pg_constraint AS c JOIN pg_class AS cl ON c.conrelid = cl.oid WHERE cl.relname = $1 AND pg_catalog.pg_table_is_visible(cl.oid) ORDER BY conname`,
    values: ['orders'],
  },
  // Rails
  { sql: 'SET client_min_messages TO warning' },
  { sql: 'SET standard_conforming_strings = on' },
  { sql: "SET SESSION timezone TO 'UTC'" },
  {
    sql: `SELECT t.oid, t.typname, t.typelem, t.typdelim, t.typinput::text, r.rngsubtype, t.typtype, t.typbasetype FROM pg_type as t LEFT JOIN pg_range as r ON oid = rngtypid WHERE t.typname IN ('int2', 'int4', 'int8', 'oid', 'float4', 'float8', 'numeric', 'bool', 'order_state') ORDER BY 1`,
  },
  { sql: 'SELECT "schema_migrations"."version" FROM "schema_migrations" ORDER BY "schema_migrations"."version" ASC' },
  {
    sql: 'SELECT "ar_internal_metadata".* FROM "ar_internal_metadata" WHERE "ar_internal_metadata"."key" = $1 ORDER BY "ar_internal_metadata"."key" ASC LIMIT 1',
    values: ['environment'],
  },
  {
    sql: `SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid, a.atttypmod, c.collname, col_description(a.attrelid, a.attnum) AS comment, a.attidentity AS identity, attgenerated AS attgenerated FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum LEFT JOIN pg_type t ON a.atttypid = t.oid LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation WHERE a.attrelid = '"customers"'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
  },
  {
    sql: `SELECT a.attname FROM (SELECT indrelid, indkey, generate_subscripts(indkey, 1) idx FROM pg_index WHERE indrelid = '"order_items"'::regclass AND indisprimary) i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[i.idx] ORDER BY i.idx`,
  },
  {
    sql: `SELECT distinct i.relname, d.indisunique, d.indkey::text, pg_get_indexdef(d.indexrelid), pg_catalog.obj_description(i.oid, 'pg_class') AS comment, d.indisvalid FROM pg_class t INNER JOIN pg_index d ON t.oid = d.indrelid INNER JOIN pg_class i ON d.indexrelid = i.oid LEFT JOIN pg_namespace n ON n.oid = t.relnamespace WHERE i.relkind IN ('i', 'I') AND d.indisprimary = 'f' AND t.relname = 'customers' AND n.nspname = ANY (current_schemas(false)) ORDER BY i.relname`,
  },
  {
    sql: `SELECT type.typname AS name, type.OID AS oid, n.nspname AS schema, string_agg(enum.enumlabel, ',' ORDER BY enum.enumsortorder) AS value FROM pg_enum AS enum JOIN pg_type AS type ON (type.oid = enum.enumtypid) JOIN pg_namespace n ON type.typnamespace = n.oid WHERE n.nspname = ANY (current_schemas(false)) GROUP BY type.OID, n.nspname, type.typname`,
  },
  {
    sql: 'SELECT "customers".* FROM "customers" ORDER BY "customers"."id" ASC LIMIT $1',
    values: ['2'],
    pii: ['email', 'phone', 'ssn', 'born'],
  },
  {
    sql: 'SELECT "customers".* FROM "customers" WHERE "customers"."email" = $1 LIMIT $2',
    values: ['ana.lopes@mail.example', '1'],
    pii: ['email', 'phone', 'ssn', 'born'],
  },
  {
    sql: 'SELECT "customers"."id" FROM "customers" WHERE "customers"."email" IN ($1, $2)',
    values: ['ana.lopes@mail.example', 'x@mail.example'],
  },
  {
    sql: `INSERT INTO "customers" ("name", "email", "created_at") VALUES ($1, $2, $3) RETURNING "id"`,
    values: ['Eva', 'eva@mail.example', '2026-02-02 00:00:00+00'],
  },
  {
    sql: 'UPDATE "orders" SET "note" = $1, "version" = "version" + 1 WHERE "orders"."id" = $2 AND "orders"."version" = $3',
    values: ['seen', '3', '1'],
  },
  { sql: 'DELETE FROM "order_items" WHERE "order_items"."order_id" = $1', values: ['5'] },
  { sql: `SELECT pg_try_advisory_lock(4711), pg_advisory_unlock(4711)`, alone: true },
  {
    sql: "SELECT max(identifier_length) FROM (SELECT current_setting('max_identifier_length')::int AS identifier_length) x",
  },
  // SQLAlchemy and Alembic
  { sql: 'select pg_catalog.version()' },
  { sql: 'select current_schema()' },
  { sql: 'show standard_conforming_strings' },
  { sql: 'show transaction isolation level' },
  { sql: 'SELECT alembic_version.version_num FROM alembic_version' },
  {
    sql: `SELECT pg_catalog.pg_class.relname FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r', 'p']) AND pg_catalog.pg_class.relpersistence != 't' AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog' ORDER BY 1`,
  },
  {
    sql: `SELECT pg_catalog.pg_attribute.attname AS name, pg_catalog.format_type(pg_catalog.pg_attribute.atttypid, pg_catalog.pg_attribute.atttypmod) AS format_type, (SELECT pg_catalog.pg_get_expr(pg_catalog.pg_attrdef.adbin, pg_catalog.pg_attrdef.adrelid) FROM pg_catalog.pg_attrdef WHERE pg_catalog.pg_attrdef.adrelid = pg_catalog.pg_attribute.attrelid AND pg_catalog.pg_attrdef.adnum = pg_catalog.pg_attribute.attnum AND pg_catalog.pg_attribute.atthasdef) AS "default", pg_catalog.pg_attribute.attnotnull AS not_null, pg_catalog.pg_class.relname AS table_name, (SELECT json_build_object('always', pg_catalog.pg_attribute.attidentity = 'a', 'start', pg_catalog.pg_sequence.seqstart, 'increment', pg_catalog.pg_sequence.seqincrement) FROM pg_catalog.pg_sequence WHERE pg_catalog.pg_attribute.attidentity != '' AND pg_catalog.pg_sequence.seqrelid = CAST(CAST(pg_catalog.pg_get_serial_sequence(CAST(CAST(pg_catalog.pg_attribute.attrelid AS REGCLASS) AS TEXT), pg_catalog.pg_attribute.attname) AS REGCLASS) AS OID)) AS identity_options FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_attribute ON pg_catalog.pg_class.oid = pg_catalog.pg_attribute.attrelid AND pg_catalog.pg_attribute.attnum > 0 AND NOT pg_catalog.pg_attribute.attisdropped WHERE pg_catalog.pg_class.relname = 'employees' ORDER BY pg_catalog.pg_class.relname, pg_catalog.pg_attribute.attnum`,
  },
  {
    sql: `SELECT pg_catalog.pg_type.typname AS name, pg_catalog.format_type(pg_catalog.pg_type.typbasetype, pg_catalog.pg_type.typtypmod) AS attype, NOT pg_catalog.pg_type.typnotnull AS nullable, pg_catalog.pg_type.typdefault AS "default", pg_catalog.pg_type_is_visible(pg_catalog.pg_type.oid) AS visible FROM pg_catalog.pg_type WHERE pg_catalog.pg_type.typtype = 'd' AND pg_catalog.pg_type.typname = 'money_amount'`,
  },
  {
    sql: 'SELECT customers.id AS customers_id, customers.name AS customers_name, customers.email AS customers_email, orders_1.id AS orders_1_id, orders_1.total AS orders_1_total FROM customers LEFT OUTER JOIN orders AS orders_1 ON customers.id = orders_1.customer_id WHERE customers.id = 2 ORDER BY orders_1.id',
    pii: ['customers_email'],
  },
  {
    sql: `INSERT INTO orders (customer_id, total) SELECT p0::BIGINT, p1::NUMERIC FROM (VALUES (1, 10.5, 0), (2, 20.5, 1)) AS imp_sen(p0, p1, sen_counter) ORDER BY sen_counter RETURNING orders.id, orders.id AS id__1`,
  },
  {
    sql: `SELECT anon_1.customer_id, anon_1.n FROM (SELECT orders.customer_id AS customer_id, count(*) AS n FROM orders GROUP BY orders.customer_id) AS anon_1 ORDER BY anon_1.n DESC, anon_1.customer_id`,
  },
  // Prisma
  { sql: 'SELECT 1' },
  {
    sql: 'SELECT "id", "checksum", "finished_at", "migration_name", "logs", "rolled_back_at", "started_at", "applied_steps_count" FROM "_prisma_migrations" ORDER BY "started_at" ASC',
  },
  {
    sql: `SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1), version(), current_setting('server_version_num')::integer AS numeric_version`,
    values: ['public'],
  },
  {
    sql: 'SELECT "public"."customers"."id", "public"."customers"."name", "public"."customers"."email" FROM "public"."customers" WHERE ("public"."customers"."email" = $1 AND 1=1) LIMIT $2 OFFSET $3',
    values: ['dora.novak@mail.example', '1', '0'],
    pii: ['email'],
  },
  {
    sql: 'SELECT "t1"."id", "t1"."name", "t1_orders"."__prisma_data__" AS "orders" FROM "public"."customers" AS "t1" LEFT JOIN LATERAL (SELECT COALESCE(JSONB_AGG("__prisma_data__"), \'[]\') AS "__prisma_data__" FROM (SELECT JSONB_BUILD_OBJECT(\'id\', "t2"."id", \'total\', "t2"."total") AS "__prisma_data__" FROM "public"."orders" AS "t2" WHERE "t1"."id" = "t2"."customer_id" ORDER BY "t2"."id") AS "t3") AS "t1_orders" ON TRUE ORDER BY "t1"."id" LIMIT 2',
  },
  {
    sql: "SELECT namespace.nspname AS schema_name, tbl.relname AS table_name, reltype::text, CASE WHEN tbl.relhassubclass THEN true ELSE false END AS has_subclass, tbl.relrowsecurity AS has_row_level_security FROM pg_class AS tbl INNER JOIN pg_namespace AS namespace ON namespace.oid = tbl.relnamespace WHERE tbl.relkind IN ('r', 'p') AND namespace.nspname = ANY ( $1 ) ORDER BY 1, 2",
    values: ['{public}'],
  },
  {
    sql: 'INSERT INTO "public"."subscriptions" ("email", "plan", "since") VALUES ($1, $2, $3) ON CONFLICT ("email") DO UPDATE SET "plan" = "excluded"."plan" RETURNING "public"."subscriptions"."plan"',
    values: ['ana.lopes@mail.example', 'yearly', '2026-02-01'],
  },
  // Drizzle
  {
    sql: 'select "id", "name", "email" from "customers" "d0" where "d0"."city" = $1 order by "d0"."name" asc limit $2',
    values: ['Porto', '5'],
    pii: ['email'],
  },
  {
    sql: `select "d0"."id", "d0"."name", "d0_orders"."data" as "orders" from "customers" "d0" left join lateral (select coalesce(json_agg(json_build_array("o"."id", "o"."state") order by "o"."id"), '[]'::json) as "data" from "orders" "o" where "o"."customer_id" = "d0"."id") "d0_orders" on true order by "d0"."id"`,
  },
  {
    sql: 'select count(*)::int as "count" from "subscriptions" where "subscriptions"."email" = $1',
    values: ['a@mail.example'],
  },
  { sql: 'CREATE SCHEMA IF NOT EXISTS "drizzle"' },
  // TypeORM
  { sql: 'SELECT * FROM current_schema()' },
  { sql: `SELECT * FROM "information_schema"."tables" WHERE "table_schema" = 'public' AND "table_name" = 'customers'` },
  {
    sql: `SELECT columns.*, pg_catalog.col_description(('"' || table_catalog || '"."' || table_schema || '"."' || table_name || '"')::regclass::oid, ordinal_position) AS description, ('"' || "udt_schema" || '"."' || "udt_name" || '"')::"regtype" AS "regtype", pg_catalog.format_type("col_attr"."atttypid", "col_attr"."atttypmod") AS "format_type" FROM "information_schema"."columns" LEFT JOIN "pg_catalog"."pg_attribute" AS "col_attr" ON "col_attr"."attname" = "columns"."column_name" AND "col_attr"."attrelid" = ("columns"."table_schema" || '.' || "columns"."table_name")::regclass WHERE ("table_schema" = 'public' AND "table_name" = 'subscriptions') ORDER BY ordinal_position`,
  },
  {
    sql: 'SELECT "Customer"."id" AS "Customer_id", "Customer"."name" AS "Customer_name", "Customer"."phone" AS "Customer_phone" FROM "customers" "Customer" WHERE ( ("Customer"."id" = $1) ) LIMIT 1',
    values: ['1'],
    pii: ['Customer_phone'],
  },
  {
    sql: 'SELECT DISTINCT "distinctAlias"."Customer_id" AS "ids_Customer_id" FROM (SELECT "Customer"."id" AS "Customer_id", "Customer"."email" AS "Customer_email" FROM "customers" "Customer" LEFT JOIN "orders" "o" ON "o"."customer_id" = "Customer"."id") "distinctAlias" ORDER BY "Customer_id" ASC LIMIT 3',
  },
  {
    sql: 'SELECT "n"."nspname", "t"."typname" FROM "pg_type" "t" INNER JOIN "pg_namespace" "n" ON "n"."oid" = "t"."typnamespace" WHERE "n"."nspname" = current_schema() AND "t"."typname" = \'order_state\'',
  },
  // Sequelize
  { sql: 'SHOW SERVER_VERSION' },
  { sql: 'SELECT "name" FROM "SequelizeMeta" AS "SequelizeMeta" ORDER BY "SequelizeMeta"."name" ASC' },
  { sql: `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_name = 'orders'` },
  {
    sql: `SELECT i.relname AS name, ix.indisprimary AS primary, ix.indisunique AS unique, ix.indkey[:]::int2[] AS indkey, array_agg(a.attnum) as column_indexes, array_agg(a.attname) AS column_names, pg_get_indexdef(ix.indexrelid) AS definition FROM pg_class t, pg_class i, pg_index ix, pg_attribute a WHERE t.oid = ix.indrelid AND i.oid = ix.indexrelid AND a.attrelid = t.oid AND t.relkind = 'r' and t.relname = 'customers' GROUP BY i.relname, ix.indexrelid, ix.indisprimary, ix.indisunique, ix.indkey ORDER BY i.relname`,
  },
  { sql: 'SELECT count(*) AS "count" FROM "customers" AS "Customer" WHERE "Customer"."city" ILIKE \'por%\'' },
  {
    sql: 'SELECT "id", "name", "email" FROM "customers" AS "Customer" ORDER BY "Customer"."created_at" DESC, "Customer"."id" LIMIT 2 OFFSET 1',
    pii: ['email'],
  },
  {
    sql: `INSERT INTO "subscriptions" ("email","plan","since","renewals") VALUES ('new@mail.example','monthly','2026-02-01',0) ON CONFLICT ("email") DO NOTHING`,
  },
  // Hibernate, Flyway
  {
    sql: 'select c1_0.id,c1_0.name,c1_0.email,c1_0.version from (select id, name, email, 1 as version from customers) c1_0 where c1_0.id=1',
    pii: ['email'],
  },
  { sql: "select nextval('orders_id_seq') from generate_series(1,2)" },
  {
    sql: 'select e1_0.id,e1_0.name,d1_0.id,d1_0.name from employees e1_0 join departments d1_0 on d1_0.id=e1_0.department_id order by e1_0.id fetch first 3 rows only',
  },
  { sql: 'select o1_0.id, o1_0.total from orders o1_0 where o1_0.id=2 for no key update' },
  {
    sql: 'SELECT "installed_rank","version","description","success" FROM "public"."flyway_schema_history" WHERE "installed_rank" > -1 ORDER BY "installed_rank"',
  },
  { sql: `SELECT COUNT(*) FROM pg_namespace WHERE nspname='public'` },
  { sql: 'select sequence_name, start_value, increment from information_schema.sequences order by 1' },
];
