// The demo provider's sign-in page: choose a person, type the password that was printed. No script, one inline style.
import { hash } from 'node:crypto';
import { people } from './accounts.ts';

const style = `
:root { color-scheme: light dark; --line: light-dark(#d0d5dd, #3a4250); --soft: light-dark(#667085, #98a2b3); --accent: light-dark(#1d4ed8, #84a9ff); }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; font: 16px/1.5 system-ui, sans-serif; background: light-dark(#f8f9fb, #12161c); color: light-dark(#101828, #e6e9ef); }
main { width: min(24rem, calc(100vw - 2rem)); box-sizing: border-box; padding: 1.75rem; border: 1px solid var(--line); border-radius: 10px; background: light-dark(#fff, #1a2029); }
h1 { margin: 0 0 .25rem; font-size: 1.25rem; }
p { margin: 0 0 1.25rem; color: var(--soft); font-size: .9rem; }
fieldset { border: 0; padding: 0; margin: 0 0 1rem; }
legend, .field { padding: 0; margin-bottom: .4rem; font-weight: 600; font-size: .9rem; display: block; }
.person { display: flex; gap: .75rem; align-items: center; padding: .6rem .75rem; margin-bottom: .5rem; border: 1px solid var(--line); border-radius: 8px; cursor: pointer; }
.person:has(input:checked) { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
.person small { display: block; color: var(--soft); }
input[type=password] { width: 100%; box-sizing: border-box; padding: .6rem .75rem; margin-bottom: 1.25rem; font: inherit; border: 1px solid var(--line); border-radius: 8px; background: transparent; color: inherit; }
button { width: 100%; padding: .65rem; font: inherit; font-weight: 600; border: 0; border-radius: 8px; cursor: pointer; background: light-dark(#1d4ed8, #84a9ff); color: light-dark(#fff, #101828); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.wrong { padding: .6rem .75rem; border-radius: 8px; margin: 0 0 1rem; background: light-dark(#fee4e2, #55160c); color: light-dark(#912018, #fecdca); }
`;

/** `forms` are the origins that the form may lead to: its own, and by redirect the client's. */
export function pageHeaders(forms: readonly string[]): Record<string, string> {
  const source = `'sha256-${hash('sha256', style, 'base64')}'`;
  return {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': `default-src 'none'; style-src ${source}; form-action 'self' ${forms.join(' ')}; base-uri 'none'; frame-ancestors 'none'`,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
}

/** The page; `wrong` says what did not work the last time. */
export function signInPage(action: string, chosen: string, wrong?: string): string {
  const choices = Object.entries(people).map(
    ([id, { name, role }]) =>
      `<label class="person"><input type="radio" name="person" value="${id}" required${id === chosen ? ' checked' : ''}><span>${escape(name)} (${id})<small>${escape(role)}</small></span></label>`,
  );
  return page(
    'Sign in',
    `<p>Identity provider of the Countersign demo</p>${wrong === undefined ? '' : `<div class="wrong" role="alert">${escape(wrong)}</div>`}
<form method="post" action="${escape(action)}">
<fieldset><legend>Who are you?</legend>${choices.join('')}</fieldset>
<label class="field" for="password">Demo password</label>
<input id="password" name="password" type="password" autocomplete="off" required autofocus>
<button>Sign in</button>
</form>
<p></p><p>The terminal that runs the demo shows the password.</p>`,
  );
}

/** A page that only says something. */
export function messagePage(title: string, message: string): string {
  return page(title, `<p>${escape(message)}</p>`);
}

const page = (title: string, body: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${style}</style><main><h1>${title}</h1>${body}</main></html>\n`;

const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
