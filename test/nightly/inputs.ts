// The input of a number: what is damaged, how, and how it is cut follow from seed and number alone.
import { type Kept, kept } from './corpus.ts';
import { acts, played, readSteps, type Step, writeSteps } from './dialogue.ts';
import { decodedAsAnything, framed, type Side } from './messages.ts';
import { damaged, generator, pick, pieces, type Random, randomBytes } from './mutation.ts';

export interface Attempt {
  /** As it would be kept in `found`. */
  readonly bytes: Buffer;
  /** Runs it; returns what is wrong. */
  run(): string | undefined;
}

const sides: readonly Side[] = ['client', 'target', 'start'];
const messages: Readonly<Record<Side, readonly Kept[]>> = {
  client: kept('client'),
  target: kept('target'),
  start: kept('start'),
};
const found = kept('found');
const ofCodec = found.filter(({ name }) => name.startsWith('codec-'));
const dialogues = [...kept('dialogues'), ...found.filter(({ name }) => name.startsWith('dialogue-'))].map(({ bytes }) =>
  readSteps(bytes),
);

/** Bytes for the codec: a stream of damaged messages, cut anywhere. */
export function codecAttempt(seed: number, index: number): Attempt {
  const random = generator(seed, index);
  const side = pick(random, sides);
  const any = () => pick(random, random(20) === 0 && ofCodec.length > 0 ? ofCodec : messages[side]).bytes;
  let bytes: Buffer;
  if (random(10) === 0) bytes = randomBytes(random, 300);
  else if (random(3) > 0) bytes = damaged(random, any(), any());
  else {
    const stream = Array.from({ length: 1 + random(5) }, () =>
      random(3) === 0 ? damaged(random, any(), any()) : any(),
    );
    bytes = Buffer.concat(stream);
  }
  const chunks = pieces(random, bytes);
  return { bytes, run: () => framed(side, chunks, true) ?? (random(8) === 0 ? decodedAsAnything(bytes) : undefined) };
}

/** Reads kept bytes as every side would. */
export function codecReplay(bytes: Buffer): string | undefined {
  for (const side of sides) {
    for (const chunks of [[bytes], [...bytes].map((byte) => Buffer.from([byte]))]) {
      const wrong = framed(side, chunks, true);
      if (wrong !== undefined) return `${side}: ${wrong}`;
    }
  }
  return decodedAsAnything(bytes);
}

/** Steps for a conversation: two dialogues spliced, steps dropped, doubled and swapped, their bytes damaged, cut and grown. */
export function dialogueAttempt(seed: number, index: number): Attempt {
  const random = generator(seed, index);
  const steps = random(30) === 0 ? readSteps(randomBytes(random, 400)) : damagedSteps(random);
  return { bytes: writeSteps(steps), run: () => played(steps) };
}

function damagedSteps(random: Random): Step[] {
  let steps = [...pick(random, dialogues)];
  if (random(3) === 0) {
    const other = pick(random, dialogues);
    // The second dialogue goes on where the first one stopped; its own beginning (the search path) is over by then.
    steps = [...steps.slice(0, 1 + random(steps.length)), ...other.slice(random(other.length))];
  }
  for (let times = random(4); times > 0; times--) {
    const at = random(steps.length);
    const step = steps[at] as Step;
    const side =
      step.act === 'client' || step.act === 'target' ? step.act : pick(random, ['client', 'target'] as const);
    const message = () => pick(random, messages[side]).bytes;
    switch (random(8)) {
      case 0:
      case 1:
        if (step.bytes.length > 0) steps[at] = { ...step, bytes: damaged(random, step.bytes, message()) };
        break;
      case 2:
        steps.splice(at, 1);
        if (steps.length === 0) return [step];
        break;
      case 3:
        steps.splice(at, 0, step);
        break;
      case 4: {
        const swapped = random(steps.length);
        [steps[at], steps[swapped]] = [steps[swapped] as Step, step];
        break;
      }
      case 5:
        steps.splice(at, 0, { act: side, which: random(256), bytes: message() });
        break;
      case 6:
        steps.splice(at, 0, {
          act: acts[random(random(3) === 0 ? acts.length : 6)]!,
          which: random(256),
          bytes: message(),
        });
        break;
      default: {
        const cut = pieces(random, step.bytes).slice(0, 40);
        if (cut.length > 1) steps.splice(at, 1, ...cut.map((bytes) => ({ ...step, bytes })));
      }
    }
  }
  return steps;
}
