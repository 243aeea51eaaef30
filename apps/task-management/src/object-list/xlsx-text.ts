/**
 * How a workbook writes characters that XML cannot hold: `_x0001_`; and so the underscore in front of what looks like that.
 * ECMA-376, part 1, 22.9.2.19 (ST_Xstring).
 */
const ESCAPED = /_x([0-9A-Fa-f]{4})_/g;
const TO_ESCAPE = /_(?=x[0-9A-Fa-f]{4}_)|[\u0000-\u0008\u000b-\u001f\ufffe\uffff]/g;
const MARKUP: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

export function toXmlText(text: string): string {
  const storable = text.replaceAll(
    TO_ESCAPE,
    (character) => `_x${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}_`,
  );
  return storable.replaceAll(/[&<>"]/g, (character) => MARKUP[character] ?? character);
}

export function fromXmlText(text: string): string {
  return text.replaceAll(ESCAPED, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
