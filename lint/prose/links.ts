import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TextlintRuleModule } from '@textlint/kernel';

/** A link into this repository leads to a file that is there, and to a heading of it. */
export const links: TextlintRuleModule = ({ Syntax, RuleError, report, getFilePath }) => ({
  [Syntax.Link](node) {
    const url: string = node.url;
    if (/^[a-z]+:/.test(url)) return;
    const [path = '', heading] = url.split('#');
    const own = getFilePath() ?? '';
    const target = path === '' ? own : join(dirname(own), path);
    if (!existsSync(target)) report(node, new RuleError(`there is no ${target}`));
    else if (heading !== undefined && !headingsOf(target).includes(heading))
      report(node, new RuleError(`there is no heading #${heading} in ${target}`));
  },
});

/** The anchors that GitHub gives to the headings of a file. */
function headingsOf(path: string): string[] {
  const titles = readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm);
  return Array.from(titles, ([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
