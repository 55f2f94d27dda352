// Masking attacks: each works directly, and through the gateway nothing of a secret arrives, comes to rest elsewhere, or is told apart
// (guarantee 3). What equality against the client's own value tells is allowed, counted, and bounded. In several test files, so that
// several workers share the work.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifies } from '../../requirements.ts';
import { type Arena, openArena, type Way } from './arena.ts';
import { type Attack, formsOf, type Heard, play, transcript } from './attack.ts';
import { type Category, corpus } from './masking/corpus.ts';
import { heardMessages, heardText, openOracle } from './oracle.ts';
import { worlds } from './secrets.ts';

const oracle = openOracle(worlds.a);

const searched = (heard: Heard, attack: Attack) =>
  [...heard].flatMap(([name, messages]) =>
    oracle.search(heardMessages(messages), attack.finds).map((found) => `${name}: ${found}`),
  );

/** Secrets that stand where they did not stand when the database was seeded. */
async function moved(arena: Arena, way: Way, attack: Attack): Promise<string[]> {
  if (!(await way.changed())) return [];
  const before = arena.pristine(way.world);
  const found: string[] = [];
  for (const [place, values] of (await way.state()).places)
    if (before.places.get(place) !== values) {
      const old = before.places.get(place) ?? '';
      const known = new Set(oracle.search(heardText(old)));
      const stood = new Set(old.split('\n'));
      const added = values.split('\n').filter((line) => !stood.has(line));
      for (const each of oracle.search(heardText(added.join('\n')), attack.finds))
        if (!known.has(each)) found.push(`${place}: ${each}`);
    }
  return found;
}

async function once(arena: Arena, way: Way, attack: Attack, form: Parameters<typeof play>[2]) {
  const heard = await play(attack, way, form);
  // What only tells may be asked by writing guesses down.
  const rests = (attack.kind ?? 'value') === 'value' ? await moved(arena, way, attack) : [];
  const found = [...searched(heard, attack), ...rests];
  await way.reset();
  return { found, said: transcript(heard) };
}

/** Plays these categories of the corpus. */
export function attackMasks(categories: readonly Category[]): void {
  let arena: Arena;
  const summary = new Map<string, { attacks: number; runs: number; leaks: number; bits: number }>();

  beforeAll(async () => {
    arena = await openArena();
  });
  afterAll(async () => {
    await arena.stop();
    const rows = [...summary].map(([category, row]) => ({ category, ...row }));
    const total = (key: 'attacks' | 'runs' | 'leaks' | 'bits') => rows.reduce((sum, row) => sum + row[key], 0);
    console.table([
      ...rows,
      { category: 'all', attacks: total('attacks'), runs: total('runs'), leaks: total('leaks'), bits: total('bits') },
    ]);
  });

  describe.for(categories)('%s', (category) => {
    const attacks: readonly Attack[] = corpus[category];
    const row = { attacks: 0, runs: 0, leaks: 0, bits: 0 };
    summary.set(category, row);
    test.for(attacks.map((attack, at) => [attack.name, attack, at] as const))(
      verifies('masked-or-withheld', '%s'),
      async ([, attack, at]) => {
        row.attacks++;
        const kind = attack.kind ?? 'value';
        const all = formsOf(attack);
        // The first form, and of every third attack one of the others by turns; all of them where there is time.
        const others = all.slice(1);
        const forms = process.env.COUNTERSIGN_HEAVY
          ? all
          : [all[0]!, ...others.filter((_, index) => at % 3 === 0 && index === (at / 3) % others.length)];
        // The control: without the gateway the attack works.
        const direct = await once(arena, arena.way('direct'), attack, forms[0]!);
        if (kind === 'value') expect(direct.found, `directly: ${direct.said}`).not.toEqual([]);
        else
          expect((await once(arena, arena.way('direct', 'b'), attack, forms[0]!)).said, 'directly').not.toBe(
            direct.said,
          );
        for (const form of forms) {
          row.runs++;
          const seen = await once(arena, arena.way('gateway'), attack, form);
          if (seen.found.length > 0) row.leaks++;
          expect(seen.found, `${form}: ${seen.said}`).toEqual([]);
          if (form !== forms[0]) continue;
          const other = await once(arena, arena.way('gateway', 'b'), attack, form);
          if (kind === 'bounded') {
            if (other.said !== seen.said) row.bits += attack.bits ?? 1;
          } else {
            const [mine, theirs] = [seen, other].map(({ said }) =>
              attack.shuffled ? said.split('\n').toSorted().join('\n') : said,
            );
            if (theirs === mine) continue;
            row.bits += attack.bits ?? 0;
            row.leaks += attack.bits === undefined ? 1 : 0;
            if (attack.bits === undefined) expect(theirs, form).toBe(mine);
          }
        }
      },
    );
  });
}
