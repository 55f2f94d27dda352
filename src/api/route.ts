// A route as data: what it takes, what it answers, what it does. Registered on the server and published as OpenAPI.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Principal } from '../domain/principal.ts';
import { Refused } from './problem.ts';

export interface Route {
  readonly method: 'GET' | 'POST';
  /** With `:name` for path parameters. */
  readonly path: string;
  readonly summary: string;
  readonly status: number;
  readonly answer: z.ZodType;
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  readonly body?: z.ZodObject;
  run(principal: Principal, request: { params: unknown; query: unknown; body: unknown }): Promise<unknown>;
}

/** Answers come as the rest of the gateway has them, read-only throughout. */
type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;

/** Ties the schemas of a route to the types that its `run` sees. */
export function route<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodObject,
  Answer extends z.ZodType,
>(definition: {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly summary: string;
  readonly status?: number;
  readonly answer: Answer;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  run(
    principal: Principal,
    request: { params: z.output<Params>; query: z.output<Query>; body: z.output<Body> },
  ): Promise<Frozen<z.input<Answer>>> | Frozen<z.input<Answer>>;
}): Route {
  const none = z.strictObject({});
  const { run, ...rest } = definition;
  return {
    status: 200,
    params: none,
    query: none,
    ...rest,
    run: async (principal, { params, query, body }) =>
      run(principal, {
        params: params as z.output<Params>,
        query: query as z.output<Query>,
        body: body as z.output<Body>,
      }),
  };
}

/** Registers routes behind a sign-in check. */
export function register(
  server: FastifyInstance,
  routes: readonly Route[],
  signedIn: (request: FastifyRequest) => Promise<Principal>,
): void {
  for (const one of routes) {
    server.route({
      method: one.method,
      url: one.path,
      async handler(request, reply) {
        const principal = await signedIn(request);
        const params = check(one.params, request.params, 'path');
        const query = check(one.query, request.query, 'query');
        const body = one.body && check(one.body, request.body ?? {}, 'body');
        return reply.code(one.status).send(await one.run(principal, { params, query, body }));
      },
    });
  }
}

function check(schema: z.ZodType, value: unknown, where: string): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  const at = path.length > 0 ? `${where} ${path.join('.')}` : where;
  throw new Refused('request.invalid', `${at}: ${message}. See docs/api.md.`);
}
