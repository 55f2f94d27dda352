// Makes the pictures of the README from the demo's own world: real sessions, a real held statement, a real browser.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startWorld } from '../src/demo/world.ts';
import { launch, openConsole } from '../test/peers/browser.ts';

const out = process.argv[2] ?? 'docs/images';
mkdirSync(out, { recursive: true });
const folder = mkdtempSync(join(tmpdir(), 'countersign-screenshots-'));
const world = await startWorld(folder, (what) => console.error(`starting ${what} …`));
const browser = await launch();
try {
  const agent = async (name: 'reporting-agent' | 'migration-agent') => {
    const client = new pg.Client({ host: '127.0.0.1', port: world.ports.plain, user: name, password: await world.provider.tokenFor(name), database: 'shop' });
    client.on('error', () => {});
    await client.connect();
    return client;
  };
  const reporting = await agent('reporting-agent');
  await reporting.query('select id, name, email, phone, card, city from customers order by id limit 8');
  await reporting.query('select status, count(*), sum(amount) from orders group by status order by status');
  await reporting.query('drop table customers').catch(() => {});
  await reporting.query("select id, contact from customer_directory where city = $1 limit 5", ['Lyon']);
  const migration = await agent('migration-agent');
  await migration.query("update orders set status = 'shipped' where id = 12");
  await migration.query('delete from orders').catch(() => {});
  const held = migration.query(`delete from orders\nwhere status = 'cancelled'\n  and placed < now() - interval '300 days'`).catch(() => {});

  for (const { name, width, height } of [
    { name: 'desktop', width: 1280, height: 820 },
    { name: 'phone', width: 390, height: 844 },
  ]) {
    for (const theme of ['light', 'dark'] as const) {
      const { context, page } = await openConsole(browser, world, 'dana', { width, height, theme });
      const shot = async (what: string) => {
        await page.waitForTimeout(400);
        await page.screenshot({ path: join(out, `${what}-${name}-${theme}.png`) });
      };
      await page.getByText('delete from orders').first().waitFor();
      await shot('now');
      await page.getByRole('link', { name: 'Approvals', exact: true }).click();
      await page.getByRole('heading', { name: 'Approvals' }).waitFor();
      await shot('approvals');
      await page.getByRole('link', { name: /delete from orders/ }).first().click();
      await page.getByRole('button', { name: /Grant/ }).waitFor();
      await shot('approval');
      await page.getByRole('link', { name: 'Sessions', exact: true }).click();
      await page.getByRole('link', { name: /reporting-agent/ }).first().waitFor();
      await shot('sessions');
      await page.getByRole('link', { name: /reporting-agent/ }).first().click();
      await page.getByText('drop table customers').waitFor();
      await shot('session');
      await page.getByRole('tab', { name: 'What the client saw' }).click();
      await page.getByRole('region', { name: 'Result as the client saw it' }).first().waitFor();
      await shot('replay');
      await page.getByRole('link', { name: 'Ledger', exact: true }).click();
      await page.getByText('countersign.example/demo', { exact: true }).waitFor();
      await shot('ledger');
      await context.close();
    }
  }
  await migration.end();
  await held;
  await reporting.end();
} finally {
  await browser.close();
  await world.stop();
  rmSync(folder, { recursive: true, force: true });
}
