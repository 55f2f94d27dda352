import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { Person, World } from '../../src/demo/world.ts';

/** Debian's Chromium, or the one that CHROMIUM names. */
export function launch(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));
  if (!executablePath) throw new Error('no Chromium found: install Debian’s package chromium, or set CHROMIUM to its path');
  return chromium.launch({
    executablePath,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

export interface Look {
  readonly width: number;
  readonly height: number;
  readonly theme: 'light' | 'dark';
}

/** Everything a page said that it should not have said: errors on its console, refused content, failed scripts. */
export interface Complaints {
  readonly said: string[];
}

export async function openConsole(browser: Browser, world: World, who: Person, look: Look): Promise<{ context: BrowserContext; page: Page; complaints: Complaints }> {
  const context = await browser.newContext({ viewport: { width: look.width, height: look.height }, colorScheme: look.theme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const complaints: Complaints = { said: [] };
  page.on('console', (message) => {
    // The first question "who am I" is answered 401 before signing in; the browser logs that by itself.
    if (message.type() === 'error' && !/401 \(Unauthorized\)/.test(message.text())) complaints.said.push(message.text());
  });
  page.on('pageerror', (error) => complaints.said.push(error.message));
  await page.goto(world.consoleUrl);
  await page.getByRole('link', { name: /sign in/i }).click();
  await signIn(page, world, who);
  await page.getByRole('heading', { name: 'Now' }).waitFor();
  return { context, page, complaints };
}

async function signIn(page: Page, world: World, who: Person): Promise<void> {
  await page.getByLabel(/person|user|who/i).first().waitFor();
  const choice = page.getByRole('radio', { name: new RegExp(who, 'i') });
  if ((await choice.count()) > 0) await choice.check();
  else if ((await page.getByRole('combobox').count()) > 0) await page.getByRole('combobox').selectOption({ value: who });
  else await page.getByLabel(/person|user|who/i).first().fill(who);
  await page.getByLabel(/password/i).fill(world.provider.password);
  await page.getByRole('button', { name: /sign in|continue/i }).click();
}
