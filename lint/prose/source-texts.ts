/** A comment, or the title of a test. */
export interface SourceText {
  /** where it begins, from 1 */
  readonly line: number;
  readonly text: string;
}

const COMMENT_LINE = /^\s*(?:\/\/|\/\*+|\*(?!\/))(?<text>.*)$/;
const COMMENT_AFTER_CODE = /\s\/[/*]+\s(?<text>.*)$/;
const TITLE =
  /\b(?:test|describe)\(\s*(?<quote>['"`])(?<text>(?:\\.|(?!\k<quote>)[^\\])*)\k<quote>/g;

/** Returns the comments and the titles of tests in a source of TypeScript, C or C++. */
export function sourceTexts(source: string): SourceText[] {
  return [...comments(source.split('\n')), ...titles(source)];
}

/** Joins the lines of a comment, because a phrase may continue on the next line. */
function comments(lines: readonly string[]): SourceText[] {
  const found: { line: number; text: string }[] = [];
  let isInside = false;
  for (const [index, line] of lines.entries()) {
    const own = COMMENT_LINE.exec(line)?.groups?.text;
    const text = own ?? COMMENT_AFTER_CODE.exec(line)?.groups?.text;
    const last = found.at(-1);
    if (text !== undefined && isInside && last !== undefined) last.text += ` ${text.trim()}`;
    else if (text !== undefined) found.push({ line: index + 1, text: text.trim() });
    isInside = own !== undefined && !own.includes('*/');
  }
  return found;
}

function titles(source: string): SourceText[] {
  return Array.from(source.matchAll(TITLE), ({ index, groups }) => ({
    line: source.slice(0, index).split('\n').length,
    text: groups?.text?.replaceAll(/\$\{[^}]*\}/g, '…') ?? '',
  }));
}
