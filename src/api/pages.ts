// The few pages that the gateway writes itself: sign-in that failed, a console that is not built. Everything variable is escaped.

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => escapes[character]!);
}

/** A whole page; no style and no script, which the content security policy would not let run. */
export function page(title: string, text: string, link?: { readonly href: string; readonly text: string }): string {
  const further = link ? `<p><a href="${escape(link.href)}">${escape(link.text)}</a></p>` : '';
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(title)}</title></head><body><h1>${escape(title)}</h1><p>${escape(text)}</p>${further}</body></html>\n`;
}
