// The end of a text stays: enough for a person to recognise what they know already.
const stars = Buffer.from('****');
const mailStars = Buffer.from('****@****.');
const at = 0x40;
const dot = 0x2e;

/** Characters that stay hidden at the least. */
const hiddenAtLeast = 8;

/** What is kept is ASCII letters, or whole characters: never a part of one. */
export function partialText(value: Buffer, keep: number): Buffer {
  const mail = value.lastIndexOf(at);
  if (mail > 0) {
    const top = value.lastIndexOf(dot) + 1;
    const length = value.length - top;
    if (top <= mail || length < 2 || length > 24) return stars;
    for (let index = top; index < value.length; index++) {
      const letter = value[index]! | 0x20;
      if (letter < 0x61 || letter > 0x7a) return stars;
    }
    return join(mailStars, value, top);
  }
  let ascii = true;
  for (let index = 0; index < value.length && ascii; index++) ascii = value[index]! < 0x80;
  const least = keep + hiddenAtLeast;
  if (ascii) return value.length >= least ? join(stars, value, value.length - keep) : stars;
  const characters = [...value.toString('utf8')];
  return characters.length >= least ? Buffer.from(`****${characters.slice(-keep).join('')}`) : stars;
}

function join(head: Buffer, value: Buffer, from: number): Buffer {
  const made = Buffer.allocUnsafe(head.length + value.length - from);
  made.set(head);
  value.copy(made, head.length, from);
  return made;
}
