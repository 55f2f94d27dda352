// The console in a real browser, over a real gateway with real sessions: every page in every look, and what people do there.
import { execFileSync, spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type AgentName, startWorld, type World } from '../../src/demo/world.ts';
import { verifies } from '../requirements.ts';
import { type Look, launch, type Opened, openConsole, openWindow } from '../peers/browser.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const nasty = `select 1 as "<img src=x onerror=alert(1)>" /* \u202e\u200b раyment */`;
const many = `with ${Array.from({ length: 6 }, (_, index) => `o${index} as (update orders set status = status where id = ${index} returning 1)`).join(', ')} select count(*) from carts, customers where carts.id = 1`;
const desktop = { width: 1280, height: 860, theme: 'light' } as const;

let folder: string;
let world: World;
let browser: Browser;
let reporting: pg.Client;
const opened: Opened[] = [];
const clients: pg.Client[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-browser-'));
  world = await startWorld(folder, () => {});
  browser = await launch();
  reporting = await agent('reporting-agent');
  await reporting.query('select id, name, email from customers order by id limit 5');
  await reporting.query('drop table customers').catch(() => {});
  await reporting.query(nasty);
  await reporting.query('select id, card from customers where city = $1 order by id limit 3', ['Lyon']);
  const ended = await agent('migration-agent');
  await ended.query(many);
  await ended.end();
}, 120_000);

// Whatever a test did: its pages said nothing wrong, and its clients are gone.
afterEach(async () => {
  const said = opened.flatMap(({ complaints }) => complaints.said);
  await Promise.all(opened.splice(0).map(({ context }) => context.close()));
  await Promise.all(
    clients
      .splice(0)
      .filter((client) => client !== reporting)
      .map((client) => client.end().catch(() => {})),
  );
  expect(said).toEqual([]);
});

afterAll(async () => {
  await reporting?.end().catch(() => {});
  await browser?.close();
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

async function agent(name: AgentName): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: world.ports.plain,
    user: name,
    password: await world.provider.tokenFor(name),
    database: 'shop',
  });
  client.on('error', () => {});
  await client.connect();
  clients.push(client);
  return client;
}

async function console(who: 'dana' | 'omar', look: Look = desktop, path?: string): Promise<Page> {
  const window = await openConsole(browser, world, who, look, path);
  opened.push(window);
  return window.page;
}

/** Accessibility rules of WCAG 2.2 A and AA. The script runs through the debugger, so the page's own policy stays as it is. */
async function accessible(page: Page): Promise<void> {
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(options: unknown): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const result = await axe.run({
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return result.violations.map((violation) => `${violation.id}: ${violation.nodes[0]?.html}`);
  });
  expect(violations, page.url()).toEqual([]);
}

/** No page is wider than its window. */
async function fits(page: Page): Promise<void> {
  const { content, window } = await page.evaluate<{ content: number; window: number }>(
    '({ content: document.documentElement.scrollWidth, window: document.documentElement.clientWidth })',
  );
  expect(content, page.url()).toBeLessThanOrEqual(window);
}

async function check(page: Page): Promise<void> {
  await fits(page);
  await accessible(page);
}

const go = (page: Page, place: string) => page.getByRole('link', { name: new RegExp(`^${place}( |$)`) }).click();
const sessionOf = (page: Page, name: string) => page.getByRole('link', { name: new RegExp(name, 'i') }).first();

describe.each([
  { width: 1280, height: 860, theme: 'light' },
  { width: 1280, height: 860, theme: 'dark' },
  { width: 360, height: 740, theme: 'light' },
  { width: 360, height: 740, theme: 'dark' },
] as const)('at $width px, $theme', (look) => {
  test('every page shows real data, fits, is accessible and says nothing wrong', async () => {
    const page = await console('dana', look);
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe(look.theme);
    await sessionOf(page, 'Reporting agent').waitFor();
    await page
      .getByText(/masked cell/)
      .first()
      .waitFor();
    expect(await page.title()).toMatch(/Now · Countersign$/);
    await check(page);

    await go(page, 'Sessions');
    await page.getByRole('heading', { name: 'Sessions' }).waitFor();
    await sessionOf(page, 'Reporting agent').waitFor();
    await check(page);
    await sessionOf(page, 'Reporting agent').click();
    await page.getByText('drop table customers').waitFor();
    await page.getByText('drops table public.customers').waitFor();
    await page.getByText('demo.no-drop forbids').waitFor();
    await page.getByText('5 × pii.email').waitFor();
    await page.getByText('U+202E').first().waitFor();
    await check(page);

    await page.getByRole('tab', { name: 'What the client saw' }).click();
    const results = page.getByRole('region', { name: 'Result as the client saw it' });
    await results.first().waitFor();
    expect(await results.first().getByRole('columnheader').allInnerTexts()).toEqual(['id', 'name', 'email']);
    expect(await results.first().getByRole('img', { name: 'masked' }).count()).toBe(1);
    expect(await page.content()).not.toContain('ada.okafor.1@');
    expect(await page.locator('img[src="x"]').count()).toBe(0);
    await check(page);

    await go(page, 'Approvals');
    await page.getByRole('heading', { name: 'Approvals' }).waitFor();
    await page.getByRole('heading', { name: 'Decided' }).waitFor();
    await check(page);

    await go(page, 'Ledger');
    await page.getByText('countersign.example/demo', { exact: true }).waitFor();
    await page.getByText(/^countersign verify data\/ledger \\\s+--key 'countersign\.example\/demo\+/).waitFor();
    await check(page);

    await page.goto(`${world.consoleUrl}/nowhere`);
    await page.getByText('There is no such page').waitFor();
    await check(page);
    await page.goto(`${world.consoleUrl}/sessions/nobody`);
    await page.getByRole('alert').getByText('session.unknown').waitFor();
    await check(page);
    // The browser logs the answer by itself.
    expect(
      opened
        .at(-1)!
        .complaints.said.splice(0)
        .filter((what) => !what.includes('404 (Not Found)')),
    ).toEqual([]);
  });

  test('policies: the rules in force, a statement explained, and what a draft would have changed', async () => {
    const page = await console('dana', look);
    await go(page, 'Policies');
    await page.getByRole('heading', { name: 'In force' }).waitFor();
    await page.getByText('guard.destructive-ddl').first().click();
    await page.getByText('@advice("Dropping, emptying').waitFor();
    await page.getByLabel(/^Statement/).fill('select id, email, upper(email) as loud from customers');
    await page.getByRole('button', { name: 'Explain' }).click();
    const columns = page.getByRole('region', { name: 'Columns of the result' });
    await columns.getByText('derived from').waitFor();
    expect(await columns.getByRole('listitem').allInnerTexts()).toEqual([
      expect.stringMatching(/^id\s+in clear$/),
      expect.stringMatching(/^email\s+pii\.email/),
      expect.stringMatching(/^loud\s+pii\.email .*whole/),
    ]);
    await page
      .getByLabel(/^Draft in Cedar/)
      .fill('@id("draft.no-reads") forbid (principal is Agent, action == Action::"sql:read", resource);');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.getByText(/statements: \d+ would change/).waitFor();
    await page.getByText('draft.no-reads').last().waitFor();
    // What the header covers while one reads on is not too small.
    await page.evaluate('scrollTo(0, 0)');
    await check(page);
  });

  test('a held statement and the sign-in pages fit and are accessible', async () => {
    const window = await openWindow(browser, look);
    opened.push(window);
    await window.page.goto(world.consoleUrl);
    await window.page.getByRole('link', { name: 'Sign in with your organisation' }).waitFor();
    await check(window.page);
    await window.page.getByRole('link', { name: 'Sign in with your organisation' }).click();
    await window.page.getByRole('radio', { name: '(dana)' }).waitFor();
    await check(window.page);

    const page = await console('dana', look);
    const client = await agent('migration-agent');
    const running = client
      .query(
        `delete from orders where status = $1 and id > ${look.width} /* ${look.theme} ${nasty} ${'long '.repeat(80)} */`,
        ['a\u202eb'],
      )
      .catch((error: Error) => error);
    await page
      .getByRole('link', { name: `and id > ${look.width} /* ${look.theme} ` })
      .first()
      .click();
    await page.getByRole('heading', { name: 'What would run' }).waitFor();
    await page.getByText('deletes from public.orders').waitFor();
    await page.getByText('$1 =').waitFor();
    await page.getByRole('button', { name: /Grant/ }).waitFor();
    await check(page);
    await page.getByRole('button', { name: 'Refuse' }).click();
    await page.getByRole('heading', { name: 'Refused', exact: true }).waitFor();
    await check(page);
    expect(await running).toBeInstanceOf(Error);
  });
});

describe('a held statement', () => {
  test('appears by itself, is granted, and runs once', async () => {
    const page = await console('dana');
    const client = await agent('migration-agent');
    const running = client.query('delete from orders where id = 21');
    // Far sooner than anything that polls.
    await page.getByRole('link', { name: /delete from orders where id = 21/ }).click({ timeout: 5_000 });
    await page.getByRole('heading', { name: 'What would run' }).waitFor();
    await page.getByText('deletes from public.orders').waitFor();
    expect(await page.title()).toMatch(/^\(1\) Migration agent asks/);
    await page.getByLabel(/Reason/).fill('cleaning up \u202eoops');
    await page.getByRole('button', { name: /Grant/ }).click();
    expect((await running).rowCount).toBe(1);
    await page.getByRole('heading', { name: 'Granted', exact: true }).waitFor();
    await page.getByText('cleaning up').waitFor();
    expect(await page.getByRole('button', { name: /Grant/ }).count()).toBe(0);
    await page.getByRole('link', { name: 'See it in its session' }).click();
    await page
      .getByRole('listitem')
      .filter({ hasText: 'delete from orders where id = 21' })
      .getByText('held')
      .waitFor();
  });

  test('is told to everyone who looks, also its end', async () => {
    const [dana, omar] = [await console('dana'), await console('omar')];
    const client = await agent('migration-agent');
    const running = client.query('delete from orders where id = 25').catch((error: Error) => error);
    for (const page of [dana, omar]) await page.getByRole('link', { name: /where id = 25/ }).click();
    await dana.getByRole('button', { name: 'Refuse' }).click();
    await omar.getByRole('heading', { name: 'Refused', exact: true }).waitFor({ timeout: 5_000 });
    expect(await running).toBeInstanceOf(Error);
  });

  test('cannot be granted before its end was seen', async () => {
    const page = await console('dana', { width: 1280, height: 700, theme: 'light' }, '/approvals');
    const client = await agent('migration-agent');
    const running = client
      .query(`delete from orders where id = 22 ${'\n'.repeat(200)} or id = 23`)
      .catch((error: Error) => error);
    await page.getByRole('link', { name: /delete from orders where id = 22/ }).click();
    const grant = page.getByRole('button', { name: /Grant/ });
    await page.getByText(/more lines? below/).waitFor();
    expect(await grant.isDisabled()).toBe(true);
    // By keyboard, as someone without a mouse does it.
    await page.getByRole('region', { name: 'Statement' }).focus();
    await page.keyboard.press('End');
    await expect.poll(() => grant.isDisabled()).toBe(false);
    await page.getByRole('button', { name: 'Refuse' }).click();
    expect(await running).toBeInstanceOf(Error);
  });

  test('cannot be granted by the owner of the agent, who is told why', async () => {
    const page = await console('omar', desktop, '/approvals');
    const client = await agent('migration-agent');
    const running = client.query('delete from orders where id = 24').catch((error: Error) => error);
    await page.getByRole('link', { name: /delete from orders where id = 24/ }).click();
    await page.getByText('You own this agent.').waitFor();
    expect(await page.getByRole('button', { name: /Grant|Refuse/ }).count()).toBe(0);
    await client.end();
    await running;
    await page.getByRole('heading', { name: 'Withdrawn', exact: true }).waitFor();
  });
});

describe('keys', () => {
  /** An authenticator as a phone or a laptop has one; it always finds its person there. */
  async function authenticator(page: Page): Promise<void> {
    const session = await page.context().newCDPSession(page);
    await session.send('WebAuthn.enable');
    await session.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
  }

  /** What an auditor does with the public key, openssl and the file that the operator sent. */
  async function offline(id: string): Promise<string> {
    const bin = join(import.meta.dirname, '../../dist/bin/countersign.js');
    const at = (name: string) => join(folder, name);
    const proof = at('proof.json');
    const prove = () =>
      spawnSync(process.execPath, [bin, 'approvals', 'prove', id, '--config', world.config, '--out', proof]).status;
    // A checkpoint over the newest entries comes within a second.
    await expect.poll(prove, { timeout: 10_000, interval: 500 }).toBe(0);
    const key = join(world.folder, 'data', 'state', 'ledger.vkey');
    const check = ['approvals', 'check', proof, '--key', key, '--files', folder];
    expect(execFileSync(process.execPath, [bin, ...check]).toString()).toContain('grade verified');
    const challenge = hash('sha256', readFileSync(at('vote-1.ballot.json')), 'base64url');
    expect(readFileSync(at('vote-1.clientData.json'), 'utf8')).toContain(`"challenge":"${challenge}"`);
    const digest = execFileSync('openssl', ['dgst', '-sha256', '-binary', at('vote-1.clientData.json')]);
    writeFileSync(at('signed'), Buffer.concat([readFileSync(at('vote-1.authenticatorData')), digest]));
    const verify = ['dgst', '-sha256', '-verify', at('vote-1.pem'), '-signature', at('vote-1.signature'), at('signed')];
    return execFileSync('openssl', verify).toString();
  }

  test(
    verifies('approval.signed', 'a passkey is enrolled, vouched for, and signs what a click may not grant'),
    async () => {
      const [dana, omar] = [
        await console('dana', desktop, '/approvals'),
        await console('omar', desktop, '/approvals/keys'),
      ];
      await authenticator(dana);
      await dana.getByRole('link', { name: 'Keys for votes' }).click();
      await dana.getByText('You have no key yet').waitFor();
      await check(dana);
      await dana.getByLabel('What you call it').fill('laptop');
      await dana.getByRole('button', { name: 'Add passkey' }).click();
      await dana.getByText('waits for somebody to vouch').waitFor();
      expect(await dana.getByRole('button', { name: /Vouch/ }).count()).toBe(0);

      const client = await agent('migration-agent');
      // The shop's role does not own its tables: that the target says so shows that the statement reached it.
      const running = client.query('alter table orders add column note text').catch((error: Error) => error.message);
      await go(dana, 'Approvals');
      await dana.getByRole('link', { name: /alter table orders/ }).click();
      await dana.getByText('no passkey of yours counts here').waitFor();
      await check(dana);
      expect(await dana.getByRole('button', { name: /rant/ }).count()).toBe(0);

      await omar.reload();
      await omar.getByRole('button', { name: 'Vouch for laptop of Dana Ferreira' }).click();
      await omar.getByText('Omar Lind vouched for it').waitFor();
      await check(omar);

      await dana.reload();
      await dana.getByLabel(/Reason/).fill('as planned');
      await dana.getByRole('button', { name: 'Sign and grant' }).click();
      await dana.getByRole('heading', { name: 'Granted', exact: true }).waitFor();
      await dana.getByText('signed with a key that checked who was there').waitFor();
      expect(await running).toContain('must be owner');
      await check(dana);
      const id = new URL(dana.url()).pathname.split('/').at(-1)!;
      expect(await offline(id)).toContain('Verified OK');

      await go(dana, 'Approvals');
      await dana.getByRole('link', { name: 'Keys for votes' }).click();
      await dana.getByRole('button', { name: 'Revoke laptop of Dana Ferreira' }).click();
      await dana.getByText('revoked by Dana Ferreira').waitFor();
    },
  );

  test('a page that shows one thing and would sign another signs nothing', async () => {
    const page = await console('dana', desktop, '/approvals/keys');
    await authenticator(page);
    await page.getByLabel('What you call it').fill('phone');
    await page.getByRole('button', { name: 'Add passkey' }).click();
    await page.getByText('waits for somebody to vouch').waitFor();
    const omar = await console('omar', desktop, '/approvals/keys');
    await omar.getByRole('button', { name: 'Vouch for phone of Dana Ferreira' }).click();
    await omar.getByText('Omar Lind vouched for it').waitFor();
    const client = await agent('migration-agent');
    const running = client.query('alter table orders add column other text').catch((error: Error) => error);
    await page.route('**/ballot?**', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: (await answer.text()).replace('column other', 'column sneaky') });
    });
    await go(page, 'Approvals');
    await page.getByRole('link', { name: /column other/ }).click();
    await page.getByRole('button', { name: 'Sign and grant' }).click();
    await page.getByText('is not what this page shows (the digest)').waitFor();
    await page.getByRole('button', { name: 'Refuse' }).click();
    expect(await running).toBeInstanceOf(Error);
  });
});

describe('a session', () => {
  test('shows what its statements did, three effects at first', async () => {
    const page = await console('dana', desktop, '/sessions?state=ended&principal=migration&text=o5');
    await sessionOf(page, 'Migration agent').click();
    const row = page.getByRole('listitem').filter({ hasText: 'with o0 as' });
    await row.getByRole('button', { name: /more effects?/ }).click();
    await row.getByText('reads public.customers').waitFor();
    expect(await row.getByRole('button', { name: /more effects?/ }).count()).toBe(0);
  });

  test('is found by what it did, and its filters are an address', async () => {
    const page = await console('dana', desktop, '/sessions');
    await sessionOf(page, 'Migration agent').waitFor();
    await page.getByLabel('Text of a statement').fill('drop table customers');
    await expect.poll(() => page.getByRole('link', { name: /Migration agent/ }).count()).toBe(0);
    expect(new URL(page.url()).searchParams.get('text')).toBe('drop table customers');
    await page.getByLabel('Text of a statement').fill('nothing of the kind');
    await page.getByText('No session matches').waitFor();
    await page.getByRole('link', { name: 'Show all sessions' }).click();
    await sessionOf(page, 'Migration agent').waitFor();
    expect(await page.getByLabel('Text of a statement').inputValue()).toBe('');
  });

  test('has an address for each statement, which scrolls there', async () => {
    const client = await agent('reporting-agent');
    for (let n = 0; n < 130; n++) await client.query(`select ${n} as n`);
    const page = await console('dana', desktop, '/sessions?text=select+129+as+n');
    await sessionOf(page, 'Reporting agent').click();
    await page.getByText('select 60 as n').waitFor();
    const at = page.url();
    await page.goto(`${at}#62`);
    await page.reload();
    const row = page.locator('[id="62"]');
    await row.waitFor();
    expect(await row.getAttribute('aria-current')).toBe('location');
    await expect.poll(async () => (await row.boundingBox())!.y).toBeLessThan(200);
    // One that is not on the first page of statements.
    await page.goto(`${world.consoleUrl}/ledger`);
    await page.goto(`${at}#129`);
    await page.locator('[id="129"]').waitFor();
    expect(await page.getByText('select 5 as n').count()).toBe(0);
    await page.getByRole('button', { name: /Statements before/ }).click();
    await page.getByText('select 5 as n').waitFor();
    // News do not pull the page away from what is read.
    await page.goto(`${at}#100`);
    await page.locator('[id="100"]').waitFor();
    await page.evaluate('scrollTo(0, 0)');
    await client.query('select 4711 as news');
    await page
      .getByText(/13[23] statements/)
      .first()
      .waitFor();
    expect(await page.evaluate('scrollY')).toBe(0);
  });

  test('plays what the client saw in its own timing, by keyboard', async () => {
    const page = await console('dana', desktop, '/sessions?text=drop+table+customers');
    await sessionOf(page, 'Reporting agent').click();
    await page.getByText('drop table customers').waitFor();
    await page.getByRole('tab', { name: 'Timeline' }).focus();
    await page.keyboard.press('ArrowRight');
    const position = page.getByRole('slider', { name: 'Position' });
    await position.waitFor();
    expect(new URL(page.url()).searchParams.get('view')).toBe('replay');
    const all = Number(await position.getAttribute('max'));
    expect(all).toBeGreaterThan(8);
    expect(await position.inputValue()).toBe(String(all));
    const results = page.getByRole('region', { name: 'Result as the client saw it' });
    const shown = await results.count();
    await position.focus();
    await page.keyboard.press('Home');
    await page.getByText('The session begins.').waitFor();
    expect(await results.count()).toBe(0);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await position.getAttribute('aria-valuetext')).toMatch(new RegExp(`^event 2 of ${all}, `));
    await page.getByLabel('Speed').selectOption('10×');
    await page.getByRole('button', { name: 'Play' }).focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => position.inputValue(), { timeout: 20_000 }).toBe(String(all));
    expect(await results.count()).toBe(shown);
    // At its end it begins again, and stops where one says.
    await page.getByLabel('Speed').selectOption('0.1×');
    await page.keyboard.press('Tab');
    await page.getByRole('button', { name: 'Play' }).click();
    await page.getByRole('button', { name: 'Pause' }).click();
    expect(Number(await position.inputValue())).toBeLessThan(all);
  });

  test('is read for replay once, however much happens meanwhile', async () => {
    const client = await agent('reporting-agent');
    await client.query('select 1 as replayed');
    const page = await console('dana', desktop, '/sessions?text=as+replayed');
    let reads = 0;
    page.on('request', (request) => {
      if (request.url().endsWith('/replay')) reads++;
    });
    await sessionOf(page, 'Reporting agent').click();
    await page.getByRole('tab', { name: 'What the client saw' }).click();
    await page.getByRole('slider').or(page.getByText('Nothing was recorded yet')).waitFor();
    for (let n = 0; n < 3; n++) {
      await client.query(`select ${n} as meanwhile`);
      await page
        .getByText(`${n + 3} statements`)
        .first()
        .waitFor();
    }
    expect(reads).toBe(1);
    await page.getByRole('button', { name: 'Read again' }).click();
    await expect.poll(() => reads).toBe(2);
  });

  test('is ended by an administrator, and its client is told', async () => {
    const client = await agent('migration-agent');
    const ended = new Promise<Error>((done) => client.once('error', done));
    await client.query('select 2 as doomed');
    const page = await console('dana', desktop, '/sessions?state=live&target=shop&text=as+doomed');
    await sessionOf(page, 'Migration agent').click();
    const open = page.getByRole('button', { name: 'End session' });
    await open.click();
    const dialog = page.getByRole('dialog', { name: /End the session of Migration agent/ });
    await dialog.waitFor();
    await accessible(page);
    await page.keyboard.press('Escape');
    await expect.poll(() => dialog.isVisible()).toBe(false);
    expect(await open.evaluate((element) => element.matches(':focus'))).toBe(true);
    await open.click();
    await page.getByLabel('Reason').fill('wrong database');
    await dialog.getByRole('button', { name: 'End session' }).click();
    expect((await ended).message).toMatch(/wrong database|terminat/i);
    await page.getByText('ended', { exact: true }).waitFor();
    expect(await open.count()).toBe(0);
  });
});

test('a theme that was chosen is there before any script of the console runs', async () => {
  const page = await console('dana');
  await page.getByRole('button', { name: 'Switch between light and dark' }).click();
  expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark');
  await page.route('**/assets/*.js', (route) => route.abort());
  await page.reload();
  expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark');
  expect(await page.evaluate('document.getElementById("root").childElementCount')).toBe(0);
  // The bundle that was kept away is complained about, as it should be.
  const { said } = opened.at(-1)!.complaints;
  expect(said.splice(0).every((what) => what.includes('ERR_FAILED'))).toBe(true);
});

test('a gateway that is away takes nothing from the page, and one signs in again where one was', async () => {
  const page = await console('dana', desktop, '/sessions?text=as+unseen');
  await page.getByText('No session matches').waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
  const complaints = opened.at(-1)!.complaints.said;
  await world.stopGateway('SIGTERM');
  await page.getByText('Reconnecting').waitFor();
  await page.getByText('No session matches').waitFor();
  await world.startGateway();
  reporting = await agent('reporting-agent');
  await reporting.query('select 1 as unseen');
  // Who is signed in to the console is forgotten with the process.
  await page.getByRole('link', { name: 'Sign in with your organisation' }).click({ timeout: 30_000 });
  await page.getByLabel('Demo password').fill(world.provider.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await sessionOf(page, 'Reporting agent').waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
  // The browser logs each try by itself.
  expect(complaints.splice(0).filter((what) => !/ERR_(CONNECTION|INCOMPLETE|EMPTY)/.test(what))).toEqual([]);
});

test('signing out leads to the sign-in page', async () => {
  const page = await console('omar');
  await page.getByRole('button', { name: /^Sign out/ }).click();
  await page.getByRole('link', { name: 'Sign in with your organisation' }).waitFor();
  await page.goto(`${world.consoleUrl}/ledger`);
  await page.getByRole('link', { name: 'Sign in with your organisation' }).waitFor();
  expect(await page.content()).not.toContain('Public key');
});
