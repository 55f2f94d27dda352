// The clients of other makers, what is found to know that they are here, and what each does in its tests: the sections its program prints.
export interface Client {
  /** Debian packages; those of npm begin with that word. */
  readonly apt: string;
  /** A command that succeeds where the client is installed. */
  readonly find: readonly [string, ...string[]];
  /** A command whose output holds its version. */
  readonly version: readonly [string, ...string[]];
  readonly protocol: string;
  readonly work: readonly string[];
}

const python = (module: string, version = `${module}.__version__`): Pick<Client, 'find' | 'version'> => ({
  find: ['/usr/bin/python3', '-c', `import ${module}`],
  version: ['/usr/bin/python3', '-c', `import ${module}; print(${version})`],
});

/** Clients of test/conformance/npm, which has a lockfile of its own. */
const packaged = (name: string): Pick<Client, 'apt' | 'find' | 'version'> => {
  const file = `./test/conformance/npm/node_modules/${name}/package.json`;
  return {
    apt: `npm ${name}`,
    find: ['node', '-p', `require('${file}').version`],
    version: ['node', '-p', `require('${file}').version`],
  };
};

export const roster = {
  psql: {
    apt: 'postgresql-client',
    find: ['psql', '--version'],
    version: ['psql', '--version'],
    protocol: 'simple',
    work: [
      'backslash commands',
      'variables, gexec, gset, gdesc, crosstabview',
      'formats',
      'COPY',
      'transactions and errors',
      'cursors',
      'session',
    ],
  },
  pgbench: {
    apt: 'postgresql',
    find: ['pgbench', '--version'],
    version: ['pgbench', '--version'],
    protocol: 'simple; extended; prepared',
    work: ['initialisation', 'four clients at once'],
  },
  'pg_dump, pg_restore': {
    apt: 'postgresql postgresql-client',
    find: ['sh', '-c', 'pg_dump --version && pg_restore --version'],
    version: ['pg_dump', '--version'],
    protocol: 'simple, COPY',
    work: [
      'plain, custom and directory format',
      'schema, data, INSERT',
      'parallel jobs on one snapshot',
      'restore and dump again',
    ],
  },
  psycopg2: {
    apt: 'python3-psycopg2',
    ...python('psycopg2'),
    protocol: 'simple',
    work: [
      'types',
      'transactions',
      'batches',
      'COPY',
      'server-side cursors',
      'functions and procedures',
      'notices and notifications',
      'session',
      'errors',
    ],
  },
  'psycopg 3': {
    apt: 'python3-psycopg',
    ...python('psycopg'),
    protocol: 'extended, pipelines',
    work: [
      'types, text and binary',
      'prepared statements',
      'pipeline mode',
      'transactions',
      'COPY, text and binary',
      'server-side cursors',
      'composed SQL and rows',
      'async, notifications and cancel',
      'errors',
    ],
  },
  asyncpg: {
    apt: 'python3-asyncpg',
    ...python('asyncpg'),
    protocol: 'extended, binary',
    work: [
      'types',
      'introspection of new types',
      'prepared statements',
      'transactions',
      'executemany',
      'cursors',
      'COPY',
      'notices, notifications and timeouts',
      'errors',
      'pool',
    ],
  },
  SQLAlchemy: {
    apt: 'python3-sqlalchemy python3-psycopg2',
    find: ['/usr/bin/python3', '-c', 'import sqlalchemy, psycopg2'],
    version: ['/usr/bin/python3', '-c', 'import sqlalchemy; print(sqlalchemy.__version__)'],
    protocol: 'simple',
    work: ['inspection', 'reflection', 'DDL of a schema of its own', 'ORM', 'streaming'],
  },
  Django: {
    apt: 'python3-django python3-psycopg2',
    find: ['/usr/bin/python3', '-c', 'import django, psycopg2'],
    version: ['/usr/bin/python3', '-c', 'import django; print(django.get_version())'],
    protocol: 'simple',
    work: ['inspectdb', 'introspection', 'schema editor and migrations', 'ORM', 'transactions', 'errors'],
  },
  'PostgreSQL JDBC': {
    apt: 'libpostgresql-jdbc-java default-jdk-headless',
    find: ['sh', '-c', 'javac -version && test -e /usr/share/java/postgresql.jar'],
    version: ['dpkg-query', '-W', 'libpostgresql-jdbc-java'],
    protocol: 'extended, binary once prepared',
    work: [
      'types, text and binary',
      'prepared after five runs',
      'portals with a fetch size',
      'transactions and savepoints',
      'batches',
      'CopyManager',
      'updatable and scrollable results',
      'functions and procedures',
      'metadata',
      'session, notices, cancel and timeouts',
      'errors',
    ],
  },
  'lib/pq': {
    apt: 'golang-go golang-github-lib-pq-dev',
    find: ['sh', '-c', 'go version && test -d /usr/share/gocode/src/github.com/lib/pq'],
    version: ['dpkg-query', '-W', 'golang-github-lib-pq-dev'],
    protocol: 'extended',
    work: [
      'types',
      'prepared statements',
      'transactions',
      'COPY',
      'several statements and results',
      'listener and cancel',
      'errors',
    ],
  },
  'pgx v4': {
    apt: 'golang-go golang-github-jackc-pgx-v4-dev',
    find: ['sh', '-c', 'go version && test -d /usr/share/gocode/src/github.com/jackc/pgx/v4'],
    version: ['dpkg-query', '-W', 'golang-github-jackc-pgx-v4-dev'],
    protocol: 'extended, binary, pipelines; simple',
    work: [
      'types, binary and text',
      'prepared statements',
      'batches',
      'transactions',
      'COPY',
      'low level and several statements',
      'pool, notices, notifications, cancel',
      'errors',
    ],
  },
  'DBD::Pg': {
    apt: 'libdbd-pg-perl',
    find: ['perl', '-MDBD::Pg', '-e', '1'],
    version: ['perl', '-MDBD::Pg', '-e', 'print $DBD::Pg::VERSION'],
    protocol: 'extended',
    work: [
      'types',
      'prepared statements',
      'transactions',
      'many rows',
      'COPY',
      'catalogue methods',
      'asynchronous and cancel',
      'errors',
    ],
  },
  'PHP PDO and pgsql': {
    apt: 'php-cli php-pgsql',
    find: ['php', '-r', 'exit(extension_loaded("pdo_pgsql") && extension_loaded("pgsql") ? 0 : 1);'],
    version: ['php', '-r', 'echo PHP_VERSION;'],
    protocol: 'extended; simple',
    work: ['PDO: types and statements', 'PDO: transactions and COPY', 'PDO: errors', 'pgsql functions'],
  },
  'ruby-pg': {
    apt: 'ruby-pg',
    find: ['ruby', '-e', 'require "pg"'],
    version: ['ruby', '-e', 'require "pg"; print PG::VERSION'],
    protocol: 'extended, pipelines; simple',
    work: [
      'types, text and binary',
      'prepared statements',
      'transactions',
      'COPY',
      'single rows and several results',
      'pipeline mode',
      'notices, notifications, cancel',
      'errors',
    ],
  },
  psqlODBC: {
    apt: 'odbc-postgresql python3-pyodbc',
    find: ['sh', '-c', 'ls /usr/lib/*/odbc/psqlodbcw.so && /usr/bin/python3 -c "import pyodbc"'],
    version: ['dpkg-query', '-W', 'odbc-postgresql'],
    protocol: 'extended; simple',
    work: ['types and parameters', 'catalogue functions', 'transactions and batches', 'declared cursors', 'errors'],
  },
  pgcli: {
    apt: 'pgcli',
    find: ['/usr/bin/python3', '-c', 'import pgcli.pgexecute'],
    version: ['/usr/bin/python3', '-c', 'import pgcli; print(pgcli.__version__)'],
    protocol: 'extended; simple',
    work: ['introspection', 'statements'],
  },
  'node-postgres': {
    apt: 'npm pg',
    find: ['node', '-e', 'require("pg")'],
    version: ['node', '-p', 'require("./node_modules/pg/package.json").version'],
    protocol: 'simple',
    work: ['catalogue queries of graphical clients'],
  },
  'postgres.js': {
    apt: 'npm postgres',
    find: ['node', '-e', 'require("postgres")'],
    version: ['node', '-p', 'require("./node_modules/postgres/package.json").version'],
    protocol: 'extended, pipelines',
    work: ['many at once', 'transactions and savepoints', 'cursors'],
  },
  'pg-cursor, pg-query-stream, pg-copy-streams': {
    ...packaged('pg-cursor'),
    apt: 'npm pg-cursor pg-query-stream pg-copy-streams',
    protocol: 'extended, portals; COPY',
    work: ['cursors', 'rows as a stream', 'COPY out', 'COPY in'],
  },
  knex: {
    ...packaged('knex'),
    protocol: 'extended; simple',
    work: ['inspection', 'schema builder', 'migrations', 'queries', 'transactions and savepoints', 'rows as a stream'],
  },
  TypeORM: {
    ...packaged('typeorm'),
    protocol: 'extended; simple',
    work: ['tables as it reads them', 'synchronisation', 'entities', 'query builder', 'transactions'],
  },
  'Drizzle ORM and Kit': {
    ...packaged('drizzle-kit'),
    apt: 'npm drizzle-kit drizzle-orm',
    protocol: 'extended; simple',
    work: [
      'pull of a schema',
      'queries',
      'relations in one query',
      'prepared statements',
      'transactions',
      'migrations',
    ],
  },
} as const satisfies Record<string, Client>;

export type ClientName = keyof typeof roster;
