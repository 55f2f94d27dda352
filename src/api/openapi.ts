// The routes as an OpenAPI 3.1 document, made from the very schemas that check requests.
import { z } from 'zod';
import type { Route } from './route.ts';
import { problem } from './schemas.ts';

/** The document that GET /api/openapi.json answers with. */
export function openApiDocument(routes: readonly Route[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const one of routes) {
    const path = one.path.replace(/:(\w+)/g, '{$1}');
    const operation = {
      summary: one.summary,
      parameters: [...parameters(one.params, 'path'), ...parameters(one.query, 'query')],
      ...(one.body ? { requestBody: { required: true, content: json(one.body, 'input') } } : {}),
      responses: {
        [one.status]: { description: one.summary, content: json(one.answer, 'output') },
        default: { description: 'Refused or failed.', content: json(problem, 'output') },
      },
    };
    paths[path] = { ...paths[path], [one.method.toLowerCase()]: operation };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Countersign',
      version,
      description: 'Errors and roles: docs/api.md. GET /api/events is a stream of server-sent events.',
    },
    security: [{ token: [] }, { console: [] }],
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        console: { type: 'apiKey', in: 'cookie', name: 'countersign' },
      },
    },
    paths,
  };
}

function json(schema: z.ZodType, io: 'input' | 'output') {
  return { 'application/json': { schema: plain(schema, io) } };
}

function plain(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}

function parameters(schema: z.ZodObject, where: 'path' | 'query'): unknown[] {
  const { properties = {}, required = [] } = plain(schema, where === 'path' ? 'output' : 'input') as {
    properties?: Record<string, object>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, of]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    schema: of,
  }));
}
