// Makes pictures of the console from the demo's own world: real sessions, a real held statement, a real browser.
// node scripts/screenshots.ts [folder] [all | name …]: the pictures of the README, every one there is, or those that are named.
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Page } from 'playwright-core';
import { type AgentName, startWorld, type World } from '../src/demo/world.ts';
import { launch, openConsole } from '../test/peers/browser.ts';

const inReadme = [
  'approval-desktop-light',
  'session-desktop-dark',
  'now-desktop-light',
  'approval-phone-dark',
  'ledger-desktop-light',
  'replay-desktop-light',
];
const sizes = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } } as const;
const themes = ['light', 'dark'] as const;
/** Pictures are part of the repository, so they stay small. In bytes. */
const largest = 250_000;

const heldText = "delete from orders\nwhere status = 'cancelled'\n  and placed < now() - interval '300 days'";

/** Each page's name, and how one gets there from anywhere. */
const pages: Record<string, (page: Page) => Promise<void>> = {
  async now(page) {
    await page.getByRole('link', { name: 'Now', exact: true }).click();
    await page
      .getByRole('link', { name: /delete from orders/ })
      .first()
      .waitFor();
  },
  async approvals(page) {
    await page.getByRole('link', { name: /^Approvals( |$)/ }).click();
    await page.getByRole('heading', { name: 'Decided' }).waitFor();
  },
  async approval(page) {
    await pages.approvals!(page);
    await page
      .getByRole('link', { name: /300 days/ })
      .first()
      .click();
    await page.getByRole('button', { name: /Grant/ }).waitFor();
  },
  async sessions(page) {
    await page.getByRole('link', { name: 'Sessions', exact: true }).click();
    await page
      .getByRole('link', { name: /Reporting agent/ })
      .first()
      .waitFor();
  },
  async session(page) {
    await pages.sessions!(page);
    await page.getByLabel('Text of a statement').fill('drop table customers');
    await page.waitForURL(/text=/);
    await page
      .getByRole('link', { name: /Reporting agent/ })
      .first()
      .click();
    await page.getByText('drop table customers').waitFor();
  },
  async replay(page) {
    await pages.session!(page);
    await page.getByRole('tab', { name: 'What the client saw' }).click();
    await page
      .getByRole('region', { name: /^Result as the client saw it/ })
      .first()
      .waitFor();
  },
  async policies(page) {
    await page.getByRole('link', { name: 'Policies', exact: true }).click();
    await page.getByLabel(/^Statement/).fill('select id, email, upper(email) as loud from customers');
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByRole('region', { name: 'Columns of the result' }).waitFor();
    await page
      .getByLabel(/^Draft in Cedar/)
      .fill('@id("draft.no-reads") forbid (principal is Agent, action == Action::"sql:read", resource);');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.getByText(/would change/).waitFor();
    await page.evaluate('scrollTo(0, 0)');
  },
  async ledger(page) {
    await page.getByRole('link', { name: 'Ledger', exact: true }).click();
    await page.getByText('countersign.example/demo', { exact: true }).waitFor();
  },
};

async function connect(world: World, name: AgentName): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: world.ports.plain,
    user: name,
    password: await world.provider.tokenFor(name),
    database: 'shop',
    application_name: name === 'reporting-agent' ? 'weekly-report' : 'migrate 0042',
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** One request of an agent, answered by Dana in her window. */
async function decided(world: World, page: Page, text: string, answer: RegExp, reason: string): Promise<void> {
  const client = await connect(world, 'migration-agent');
  const running = client.query(text).catch(() => {});
  await pages.approvals!(page);
  await page.getByRole('link', { name: text }).click();
  await page.getByLabel(/Reason/).fill(reason);
  await page.getByRole('button', { name: answer }).click();
  await running;
  await client.end();
}

const [out = 'docs/images', ...asked] = process.argv.slice(2);
const every = Object.keys(pages).flatMap((name) =>
  Object.keys(sizes).flatMap((size) => themes.map((theme) => `${name}-${size}-${theme}`)),
);
const wanted = new Set(asked.length === 0 ? inReadme : asked[0] === 'all' ? every : asked);
for (const name of wanted)
  if (!every.includes(name)) throw new Error(`no such picture: ${name}; there are ${every.join(', ')}`);
mkdirSync(out, { recursive: true });

const folder = mkdtempSync(join(tmpdir(), 'countersign-screenshots-'));
const world = await startWorld(folder, (what) => console.error(`starting ${what} …`));
const browser = await launch();
try {
  const { context, page: dana } = await openConsole(browser, world, 'dana', { ...sizes.desktop, theme: 'light' });
  await decided(world, dana, 'delete from orders where id = 317 returning id', /Grant/, 'duplicate, ticket 8841');
  await decided(world, dana, "delete from orders where status = 'paid'", /Refuse/, 'those are still to be shipped');
  await context.close();
  const nightly = await connect(world, 'reporting-agent');
  await nightly.query("select name, email, city from customers where city = 'Lyon'");
  await nightly.end();

  const reporting = await connect(world, 'reporting-agent');
  await reporting.query('select id, name, email, phone, card, city from customers order by id limit 8');
  await reporting.query('select status, count(*), sum(amount) from orders group by status order by status');
  await reporting.query('drop table customers').catch(() => {});
  await reporting.query('select id, contact from customer_directory where city = $1 limit 5', ['Lyon']);
  const migration = await connect(world, 'migration-agent');
  await migration.query("update orders set status = 'shipped' where id = 12");
  await migration.query('delete from orders').catch(() => {});
  const held = migration.query(heldText).catch(() => {});

  for (const [size, { width, height }] of Object.entries(sizes)) {
    for (const theme of themes) {
      const names = Object.keys(pages).filter((name) => wanted.has(`${name}-${size}-${theme}`));
      if (names.length === 0) continue;
      const look = { width, height, theme, scale: size === 'phone' ? 2 : 1.25 };
      const { context, page } = await openConsole(browser, world, 'dana', look);
      for (const name of names) {
        await pages[name]!(page);
        // What came last is drawn, and the pointer is over nothing.
        await page.mouse.move(0, 0);
        await page.waitForTimeout(400);
        const path = join(out, `${name}-${size}-${theme}.png`);
        await page.screenshot({ path });
        if (statSync(path).size > largest) console.error(`${path} is larger than ${largest} bytes`);
      }
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
