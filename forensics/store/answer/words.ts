import type { Words } from '../../select/words.ts';
import { literal } from '../schema/literal.ts';

/** The words of ClickHouse, with the meaning that those of DuckDB have. */
export const CLICKHOUSE: Words = {
  literal,
  startsWith: (text, beginning) => `startsWith(${text}, ${beginning})`,
  // Without it, a dot matches the end of a line, too.
  matches: (text, regex) => `match(${text}, ${literal(`(?-s)${regex}`)})`,
  glob: (text, pattern) => `match(${text}, ${literal(regexOf(pattern))})`,
  behindSlash: (text) => `splitByChar('/', assumeNotNull(${text}))[2]`,
  behindLastSlash: (text) => `substringIndex(${text}, '/', -1)`,
  any: (list, item, condition) => `arrayExists(${item} -> ${condition}, ${list})`,
  inResource: (key) =>
    `if(JSONHas(resource_json, ${literal(key)}), JSONExtractString(resource_json, ${literal(key)}), NULL)`,
};

/** Returns the regular expression for a glob, in which a backslash makes a character ordinary. */
function regexOf(glob: string): string {
  let regex = '';
  for (let at = 0; at < glob.length; at += 1) {
    const character = glob[at] ?? '';
    const end = character === '[' ? glob.indexOf(']', at + 2) : -1;
    if (character === '*') regex += '.*';
    else if (character === '?') regex += '.';
    else if (end > 0) {
      regex += setOf(glob.slice(at + 1, end));
      at = end;
    } else if (character === '[') return '[^\\s\\S]';
    else if (character === '\\' && at + 1 < glob.length) {
      at += 1;
      regex += quoted(glob[at] ?? '');
    } else regex += quoted(character);
  }
  return `(?s)^${regex}$`;
}

function setOf(members: string): string {
  const isNot = members.startsWith('!');
  const shown = members.slice(isNot ? 1 : 0).replaceAll(/[\\\]^[]/g, '\\$&');
  return `[${isNot ? '^' : ''}${shown}]`;
}

function quoted(character: string): string {
  return /[\w\s/-]/.test(character) || character > '\x7f' ? character : `\\${character}`;
}
