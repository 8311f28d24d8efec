import { sourceTexts } from './source-texts.ts';
import { AVOIDED } from './words.ts';

const PATTERNS = AVOIDED.map(([pattern, advice]) => ({
  pattern: new RegExp(`(?<![\\w-])(?:${pattern})(?![\\w-])`, 'i'),
  advice,
}));

/** Returns what is wrong with the comments and the titles of a source, as `line: message`. */
export function lintSource(source: string): string[] {
  return sourceTexts(source).flatMap(({ line, text }) =>
    PATTERNS.flatMap(({ pattern, advice }) => {
      const [found] = pattern.exec(text) ?? [];
      return found === undefined ? [] : [`${line}: “${found}”: write ${advice} instead`];
    }),
  );
}
