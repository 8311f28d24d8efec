import { TextlintKernel } from '@textlint/kernel';
import markdown from '@textlint/textlint-plugin-markdown';
import terminology from 'textlint-rule-terminology';
import { links, tests } from './links.ts';
import { sentences } from './sentences.ts';
import { AVOIDED, NAMES } from './words.ts';

const KERNEL = new TextlintKernel();
const PLUGINS = [{ pluginId: 'markdown', plugin: markdown.default }];
const RULES = [
  {
    ruleId: 'words',
    rule: terminology,
    options: { terms: [...NAMES, ...AVOIDED], defaultTerms: false },
  },
  { ruleId: 'sentences', rule: sentences },
  { ruleId: 'links', rule: links },
  { ruleId: 'tests', rule: tests },
];

/** Returns what is wrong with the language and the links of a Markdown text, as `line: message`. */
export async function lint(text: string, filePath: string): Promise<string[]> {
  const options = { ext: '.md', filePath, plugins: PLUGINS, rules: RULES };
  const { messages } = await KERNEL.lintText(text, options);
  return messages.map(({ line, message }) => `${line}: ${message}`);
}
