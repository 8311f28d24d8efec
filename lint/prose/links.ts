import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TextlintRuleModule } from '@textlint/kernel';

const ROOT = join(import.meta.dirname, '../..');

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

/**
 * A test that a page names as the proof of what it promises is there. A name without a folder is in the
 * folder of the test that was named before.
 */
export const tests: TextlintRuleModule = ({ Syntax, RuleError, report }) => {
  let folder = '';
  return {
    [Syntax.Code](node) {
      const name: string = node.value;
      if (!/^(?:test\/[\w./-]*|[\w-]+\.test\.ts)$/.test(name)) return;
      const path = name.includes('/') ? name : join(folder, name);
      if (!existsSync(join(ROOT, path))) report(node, new RuleError(`there is no ${path}`));
      folder = dirname(path);
    },
  };
};

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
