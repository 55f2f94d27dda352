// The console's files as its build left them, with every unknown path leading to its one page; or a page that says how to build it.
import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { page } from './pages.ts';
import { Refused } from './problem.ts';

/** `folder` is the build of `web/`; absent or empty is fine. */
export async function serveWeb(server: FastifyInstance, folder: string | undefined): Promise<void> {
  const built = folder !== undefined && existsSync(join(folder, 'index.html'));
  if (built) {
    await server.register(fastifyStatic, {
      root: folder,
      dotfiles: 'ignore',
      cacheControl: false,
      setHeaders(response, path) {
        // Names under assets/ carry a hash of their content.
        const lasting = path.startsWith(join(folder, 'assets') + sep);
        response.header('cache-control', lasting ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
  }
  server.setNotFoundHandler((request, reply) => {
    if (!isPage(request)) throw new Refused('request.unknown', 'There is nothing at this address. See docs/api.md.');
    return built ? reply.code(200).sendFile('index.html') : notBuilt(reply);
  });
  if (!built) server.get('/', (_, reply) => notBuilt(reply));
}

/** A page that somebody opens, as against a call of a program or a missing file of the console. */
function isPage({ method, url, headers }: FastifyRequest): boolean {
  const path = url.split('?', 1)[0]!;
  if (method !== 'GET' || /^\/(api|auth|assets)(\/|$)/.test(path)) return false;
  return headers.accept === undefined || /text\/html|\*\/\*/.test(headers.accept);
}

function notBuilt(reply: FastifyReply): FastifyReply {
  const text =
    'The gateway runs, and its API answers under /api. The console is not built: run "npm run build" in the source folder and start the gateway again. The same is available in a terminal: countersign sessions list, countersign approvals list.';
  return reply
    .code(200)
    .type('text/html; charset=utf-8')
    .header('cache-control', 'no-cache')
    .send(page('Countersign', text));
}
