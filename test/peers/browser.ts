// A real browser at the console of a demo world: launching it, signing in, and hearing every complaint of its pages.
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { Person, World } from '../../src/demo/world.ts';

/** Debian's Chromium, or the one that CHROMIUM names. */
export function launch(): Promise<Browser> {
  const executablePath =
    process.env.CHROMIUM ??
    ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));
  if (!executablePath)
    throw new Error('no Chromium found: install Debian’s package chromium, or set CHROMIUM to its path');
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export interface Look {
  readonly width: number;
  readonly height: number;
  readonly theme: 'light' | 'dark';
  /** Pixels of a picture for each of the page. Default 1. */
  readonly scale?: number;
}

/** Everything a page said that it should not have said: errors on its console, refused content, failed scripts. */
export interface Complaints {
  readonly said: string[];
}

export interface Opened {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly complaints: Complaints;
}

/** A window of its own, with nobody signed in and nothing opened yet. */
export async function openWindow(browser: Browser, look: Look): Promise<Opened> {
  const context = await browser.newContext({
    viewport: { width: look.width, height: look.height },
    deviceScaleFactor: look.scale ?? 1,
    colorScheme: look.theme,
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const complaints: Complaints = { said: [] };
  page.on('console', (message) => {
    // The first question "who am I" is answered 401 before signing in; the browser logs that by itself.
    if (message.type() === 'error' && !/401 \(Unauthorized\)/.test(message.text()))
      complaints.said.push(message.text());
  });
  page.on('pageerror', (error) => complaints.said.push(error.message));
  // Some refused content is not logged, only told.
  await page.exposeFunction('refusedByPolicy', (what: string) => complaints.said.push(what));
  await page.addInitScript(
    `addEventListener('securitypolicyviolation', (event) => refusedByPolicy(event.violatedDirective + ' ' + event.blockedURI))`,
  );
  return { context, page, complaints };
}

/** Opens the console as somebody; `path` is where it leads after signing in. */
export async function openConsole(
  browser: Browser,
  world: Pick<World, 'consoleUrl' | 'provider'>,
  who: Person,
  look: Look,
  path = '/',
): Promise<Opened> {
  const opened = await openWindow(browser, look);
  await opened.page.goto(world.consoleUrl + path);
  await opened.page.getByRole('link', { name: /sign in/i }).click();
  await signIn(opened.page, world, who);
  await opened.page.getByRole('navigation', { name: 'Main' }).waitFor();
  return opened;
}

/** The sign-in page of the demo's provider: one radio button a person, and the password that the terminal shows. */
async function signIn(page: Page, world: Pick<World, 'provider'>, who: Person): Promise<void> {
  await page.getByRole('radio', { name: `(${who})` }).check();
  await page.getByLabel('Demo password').fill(world.provider.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}
