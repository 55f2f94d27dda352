/** Texts of agents and servers, shown so that they cannot steer what shows them, nor hide anything from who reads. */

/** Control, formatting and direction characters as `\u{…}`; `keep` are characters that stay as they are. */
export function visible(text: string, keep = ''): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    keep.includes(character) ? character : `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/** What a reader could overlook in a text; undefined when it is plain. */
export function unusual(text: string): string | undefined {
  const hidden = text.match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu)?.filter((character) => character !== '\n').length ?? 0;
  const foreign = text.match(/[^\p{ASCII}\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu)?.length ?? 0;
  const parts = [
    ...(hidden > 0 ? [`${hidden} control or invisible characters, shown as \\u{…}`] : []),
    ...(foreign > 0 ? [`${foreign} characters outside ASCII, which may look like others`] : []),
  ];
  return parts.length > 0 ? `Look closely: ${parts.join('; ')}.` : undefined;
}
