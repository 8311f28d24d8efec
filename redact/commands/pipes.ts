import type { Anchor, Reading, Span } from '../reading.ts';
import { enclosingQuote, endOfWord, partOf, WHOLE } from '../values.ts';

/** Commands that read a secret from their input; group 1: they read `user:secret` */
const READERS =
  /^(?:(?:sudo|exec)\s+)?(?:\S*\/)?(?:(chpasswd\b)|passwd\b.{0,64}--stdin|sudo\b.{0,64}\s-\w*S\b|smbpasswd\b.{0,64}\s-\w*s\b|cryptsetup\b|vncpasswd\b|kinit\b|pass\s+insert\b|secrethub\s+write\b|(?:\S+\s+){1,3}secrets?\s+(?:set|put|create|import|add|write)\b|.{0,128}--(?:password-stdin|with-token|passphrase-fd)\b)/;
const READER_LENGTH = 256;
const STOPS = ';&|<>()';
const BLANKS = /[ \t]*/y;
const OPTION = /^-[neE]+$/;
const USER = { prefix: '', before: ':', after: '' };

/** Makes anchors that find the secret in `echo X | chpasswd` and the like. */
export function pipeAnchors(): Anchor[] {
  return [
    ['echo ', lookAtEcho],
    ['printf ', lookAtEcho],
  ];
}

function lookAtEcho(reading: Reading, from: number, to: number): Span | undefined {
  const { text } = reading;
  if (from < reading.walkedEcho || (from > 0 && !/[\s"'`(;&|/]/.test(text[from - 1] ?? '')))
    return undefined;
  const words: Span[] = [];
  const enclosing = enclosingQuote(reading, to);
  let at = to;
  for (;;) {
    BLANKS.lastIndex = at;
    BLANKS.test(text);
    at = BLANKS.lastIndex;
    const end = endOfWord(text, at, STOPS, enclosing);
    if (end === at) break;
    words.push(withoutQuotes(text, at, end));
    at = end;
  }
  reading.walkedEcho = at;
  if (text[at] !== '|' || text[at + 1] === '|') return undefined;
  reading.looks += 1;
  const reader = READERS.exec(text.slice(at + 1, at + READER_LENGTH).trimStart());
  if (reader === null) return undefined;
  for (const { from: start, to: end } of words) {
    const word = text.slice(start, end);
    if (OPTION.test(word) || (word.includes('%') && words.length > 1)) continue;
    const span = partOf(word, 0, word.length, reader[1] === undefined ? WHOLE : USER);
    if (span !== undefined) reading.spans.push({ from: start + span.from, to: start + span.to });
  }
  return undefined;
}

/** A word without the quotes around it and the end of the line within them. */
function withoutQuotes(text: string, from: number, to: number): Span {
  const quote = text[from] ?? '';
  if (!/["']/.test(quote) || to - from < 2 || text[to - 1] !== quote) return { from, to };
  const lineEnds = text.endsWith('\\\\n', to - 1) && to - from > 5;
  return { from: from + 1, to: to - (lineEnds ? 4 : 1) };
}
