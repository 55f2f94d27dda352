// Where the programs of this folder connect, from libpq's environment, and how they print.
import { readFileSync } from 'node:fs';

const { PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLROOTCERT } = process.env;

export const link = {
  host: PGHOST,
  port: Number(PGPORT),
  user: PGUSER,
  password: PGPASSWORD,
  database: PGDATABASE,
  ssl: { ca: readFileSync(PGSSLROOTCERT, 'utf8'), servername: 'localhost' },
};

export const section = (name) => console.log(`== ${name}`);

/** One line, whatever it holds. */
export const print = (...values) =>
  console.log(
    values
      .map((value) =>
        typeof value === 'string'
          ? value
          : JSON.stringify(value, (_key, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner)),
      )
      .join(' ')
      .replaceAll('\n', ' '),
  );

export const failing = (promise) =>
  promise.then(
    () => print('no error'),
    (error) => {
      const cause = error.cause ?? error.driverError ?? error;
      print('error', cause.code, cause.message);
    },
  );
