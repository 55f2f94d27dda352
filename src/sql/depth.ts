// How deep a text could nest, told before it is parsed. The parser's own answer to a tree that is too deep is to run out of stack, and
// it does not come back from that whole: a few dozen such texts would end it for everybody (test: parse, "the parser outlives").

/** What the parser stands with room to spare: chains and nestings of 900 are tried sixty times over, of every kind. */
export const mostDepth = 1_000;

/** Words after which a new expression begins at the same level. */
const begins = new Set('and or select where from having on then when else set values using returning limit'.split(' '));
/** Words that nest to the left however long the chain is. */
const chains = new Set('union intersect except join'.split(' '));
/** Words that wrap what follows or precedes. */
const wraps = new Set(
  'not is isnull notnull collate at in like ilike similar between overlaps exists any all array row cast'.split(' '),
);

/** One token, or something that is none: strings of each kind, quoted names, comments, words, numbers, operators. */
const token =
  /[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$[\s\S]*?\$\1\$|--[^\n\r]*|\/\*|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|[0-9][\w.]*|::|[-+*/<>=~!@#%^&|`?]|[()[\],;]/g;

/** An upper bound, but for texts that are no SQL: those the parser refuses at their first wrong token. */
export function depthOf(sql: string): number {
  const outer: number[] = [];
  let open = 0;
  let chain = 0;
  let fixed = 0;
  let deepest = 0;
  const push = () => {
    outer.push(chain, fixed);
    open += chain + fixed + 1;
    chain = fixed = 0;
  };
  const pop = () => {
    if (outer.length === 0) return;
    fixed = outer.pop()!;
    chain = outer.pop()!;
    open -= chain + fixed + 1;
  };
  token.lastIndex = 0;
  for (let match = token.exec(sql); match; match = token.exec(sql)) {
    const [text] = match;
    if (text === '/*') token.lastIndex = commentEnd(sql, match.index);
    else if (text === '(' || text === '[') push();
    else if (text === ')' || text === ']') pop();
    else if (text === ',' || text === ';') chain = 0;
    else if (/^[A-Za-z_]/.test(text) && !text.includes("'")) {
      const word = text.toLowerCase();
      if (word === 'case') push();
      else if (word === 'end') pop();
      else if (begins.has(word)) chain = 0;
      else if (chains.has(word)) {
        fixed++;
        chain = 0;
      } else if (wraps.has(word)) chain++;
    } else if (text.length <= 2 && /^[^\w'"$]/.test(text)) chain++;
    const depth = open + chain + fixed;
    if (depth > deepest) deepest = depth;
  }
  return deepest;
}

/** Comments nest in PostgreSQL. */
function commentEnd(sql: string, start: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = start;
  let level = 0;
  for (let match = mark.exec(sql); match; match = mark.exec(sql)) {
    level += match[0] === '/*' ? 1 : -1;
    if (level === 0) return mark.lastIndex;
  }
  return sql.length;
}
