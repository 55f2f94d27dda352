// Ordinary statements that do not pass as they do directly: which principals meet it, and the section of docs/masking-exceptions.md that
// says why, and how to allow it. One that starts to pass must leave this list.
import type { Who } from './place.ts';

export const exceptions: Readonly<Record<string, { readonly who: readonly Who[]; readonly section: string }>> = {
  "applications: select coalesce(phone, 'none') = 'none' as silent from customers order by id": {
    who: ['agent', 'human'],
    section: 'A comparison shown as a result',
  },
};
