import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startWorld, type World } from '../../src/demo/world.ts';
import { launch, openConsole } from '../peers/browser.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const nasty = `select 1 as "<img src=x onerror=alert(1)>" /* \u202e\u200b раyment */`;

let folder: string;
let world: World;
let browser: Browser;
let session: pg.Client;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-browser-'));
  world = await startWorld(folder, () => {});
  browser = await launch();
  session = await agent('reporting-agent');
  await session.query('select id, name, email from customers order by id limit 5');
  await session.query('drop table customers').catch(() => {});
  await session.query(nasty);
}, 120_000);

afterAll(async () => {
  await session?.end().catch(() => {});
  await browser?.close();
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

async function agent(name: 'reporting-agent' | 'migration-agent'): Promise<pg.Client> {
  const client = new pg.Client({ host: '127.0.0.1', port: world.ports.plain, user: name, password: await world.provider.tokenFor(name), database: 'shop' });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Accessibility rules of WCAG 2.2 A and AA. The script runs through the debugger, so the page's own policy stays as it is. */
async function accessible(page: Page): Promise<void> {
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const run = (globalThis as unknown as { axe: { run(options: unknown): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }).axe.run;
    const result = await run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] });
    return result.violations.map((violation) => `${violation.id}: ${violation.nodes[0]?.html}`);
  });
  expect(violations).toEqual([]);
}

const fits = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);

describe.each([
  { width: 1280, height: 860, theme: 'light' },
  { width: 1280, height: 860, theme: 'dark' },
  { width: 360, height: 740, theme: 'light' },
  { width: 360, height: 740, theme: 'dark' },
] as const)('at $width px, $theme', (look) => {
  test('every page shows real data, fits, is accessible and says nothing wrong', async () => {
    const { context, page, complaints } = await openConsole(browser, world, 'dana', look);
    const check = async () => {
      expect(await fits(page)).toBe(true);
      await accessible(page);
    };
    await page.getByText('reporting-agent').first().waitFor();
    await check();
    await page.getByRole('link', { name: 'Sessions', exact: true }).click();
    await page.getByRole('heading', { name: 'Sessions' }).waitFor();
    await page.getByRole('link', { name: /reporting-agent/ }).first().click();
    await page.getByText('drop table customers').waitFor();
    await page.getByText('U+202E').first().waitFor();
    await check();
    await page.getByRole('tab', { name: 'What the client saw' }).click();
    await page.getByRole('region', { name: 'Result as the client saw it' }).first().waitFor();
    expect(await page.content()).not.toContain('ada.okafor.1@');
    expect(await page.locator('img[src="x"]').count()).toBe(0);
    await check();
    await page.getByRole('link', { name: 'Approvals', exact: true }).click();
    await page.getByRole('heading', { name: 'Approvals' }).waitFor();
    await check();
    await page.getByRole('link', { name: 'Ledger', exact: true }).click();
    await page.getByText('countersign.example/demo', { exact: true }).waitFor();
    await check();
    await page.goto(`${world.consoleUrl}/nowhere`);
    await page.getByText('There is no such page').waitFor();
    await check();
    expect(complaints.said).toEqual([]);
    await context.close();
  });
});

describe('a held statement', () => {
  test('appears by itself within a second, is granted, and runs once', async () => {
    const { context, page, complaints } = await openConsole(browser, world, 'dana', { width: 1280, height: 860, theme: 'light' });
    const client = await agent('migration-agent');
    const running = client.query('delete from orders where id = 21');
    await page.getByRole('link', { name: /delete from orders where id = 21/ }).click({ timeout: 5_000 });
    await page.getByText('deletes from shop').or(page.getByText('deletes from public.orders')).first().waitFor();
    await accessible(page);
    await page.getByRole('button', { name: /Grant/ }).click();
    expect((await running).rowCount).toBe(1);
    await page.getByText('granted').first().waitFor();
    await client.end();
    expect(complaints.said).toEqual([]);
    await context.close();
  });

  test('cannot be granted before its end was seen', async () => {
    const { context, page } = await openConsole(browser, world, 'dana', { width: 1280, height: 700, theme: 'light' });
    const client = await agent('migration-agent');
    const running = client.query(`delete from orders where id = 22 ${'\n'.repeat(200)} or id = 23`).catch((error: Error) => error);
    await page.getByRole('link', { name: 'Approvals', exact: true }).click();
    await page.getByRole('link', { name: /delete from orders where id = 22/ }).click();
    const grant = page.getByRole('button', { name: /Grant/ });
    expect(await grant.isDisabled()).toBe(true);
    await page.getByText(/more lines? below/).waitFor();
    await page.getByRole('region', { name: 'Statement' }).evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await expect.poll(() => grant.isDisabled()).toBe(false);
    await page.getByRole('button', { name: 'Refuse' }).click();
    expect(await running).toBeInstanceOf(Error);
    await client.end();
    await context.close();
  });

  test('cannot be granted by the owner of the agent', async () => {
    const { context, page } = await openConsole(browser, world, 'omar', { width: 1280, height: 860, theme: 'light' });
    const client = await agent('migration-agent');
    const running = client.query('delete from orders where id = 24').catch((error: Error) => error);
    await page.getByRole('link', { name: 'Approvals', exact: true }).click();
    await page.getByRole('link', { name: /delete from orders where id = 24/ }).click();
    await page.getByText(/owner|own/i).first().waitFor();
    expect(await page.getByRole('button', { name: /Grant/ }).count()).toBe(0);
    await client.end();
    await running;
    await context.close();
  });
});

test('an administrator ends a live session, and its client is told', async () => {
  const { context, page } = await openConsole(browser, world, 'dana', { width: 1280, height: 860, theme: 'light' });
  const client = await agent('migration-agent');
  const ended = new Promise<Error>((done) => client.once('error', done));
  await client.query('select 1');
  await page.goto(`${world.consoleUrl}/sessions?state=live&principal=migration-agent`);
  await page.getByRole('link', { name: /migration-agent/ }).first().click();
  await page.getByRole('button', { name: 'End session' }).click();
  await page.getByLabel('Reason').fill('wrong database');
  await page.getByRole('dialog').getByRole('button', { name: 'End session' }).click();
  expect((await ended).message).toMatch(/wrong database|terminat/i);
  await context.close();
});
