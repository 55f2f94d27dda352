// The console's files: headers, one page for every path, and a page in their place when they are not built.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { world } from './world.suite.ts';

test('the build is served with a strict policy, every page path leads to its page, and nothing above it is served', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'web-'));
  try {
    mkdirSync(join(folder, 'dist', 'assets'), { recursive: true });
    writeFileSync(join(folder, 'secret.txt'), 'secret');
    writeFileSync(join(folder, 'dist', '.env'), 'secret');
    writeFileSync(join(folder, 'dist', 'index.html'), '<!doctype html><title>console</title>');
    writeFileSync(join(folder, 'dist', 'assets', 'app-1.js'), 'export {};');
    const of = await world({ webFolder: join(folder, 'dist') });
    const get = (path: string, accept = 'text/html,*/*') => fetch(of.url + path, { headers: { accept } });
    for (const path of ['/', '/sessions', '/approvals/abc?x=1']) {
      const response = await get(path);
      expect([path, response.status]).toEqual([path, 200]);
      expect(await response.text()).toContain('<title>console');
      expect(response.headers.get('cache-control')).toBe('no-cache');
      const policy =
        "default-src 'none';script-src 'self';style-src 'self';img-src 'self' data:;connect-src 'self';font-src 'self';base-uri 'none';frame-ancestors 'none';form-action 'self'";
      expect(response.headers.get('content-security-policy')).toBe(policy);
      expect(response.headers.get('x-frame-options')).toBe('DENY');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(response.headers.get('referrer-policy')).toBe('no-referrer');
      expect(response.headers.get('strict-transport-security')).toBeNull();
    }
    const script = await get('/assets/app-1.js');
    expect(script.headers.get('content-type')).toContain('javascript');
    expect(script.headers.get('cache-control')).toContain('immutable');
    expect((await get('/assets/gone.js')).status).toBe(404);
    expect(await (await get('/api/gone')).json()).toMatchObject({ code: 'request.unknown' });
    for (const path of ['/..%2fsecret.txt', '/%2e%2e/secret.txt', '/.env', '/assets/..%2f..%2fsecret.txt']) {
      expect(await (await get(path)).text()).not.toContain('secret');
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('without a build the first page says how to make one', async () => {
  const of = await world();
  for (const path of ['/', '/sessions']) {
    const response = await fetch(of.url + path, { headers: { accept: 'text/html' } });
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('npm run build');
  }
});
