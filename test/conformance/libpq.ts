// How programs on libpq are told where to go, without TLS.

export interface LibpqWay {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export const libpqEnvironment = (way: LibpqWay): NodeJS.ProcessEnv => ({
  ...process.env,
  PGHOST: '127.0.0.1',
  PGPORT: String(way.port),
  PGUSER: way.user,
  PGPASSWORD: way.password,
  PGDATABASE: way.database,
  PGSSLMODE: 'disable',
  PGCONNECT_TIMEOUT: '10',
});
