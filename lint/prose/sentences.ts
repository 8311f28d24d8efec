import type { TextlintRuleModule } from '@textlint/kernel';
import nlp from 'compromise/two';

const MAX_WORDS = 35;

nlp.addWords({
  costs: 'Verb',
  describes: 'Verb',
  fires: 'Verb',
  raise: 'Verb',
  rise: 'Verb',
  set: 'Verb',
});

interface Sentence {
  readonly text: string;
  readonly offset: { readonly start: number };
}

/**
 * A sentence of a paragraph has a verb, and is short; code does not count as words. Titles in bold
 * and lines that introduce a block need no verb.
 */
export const sentences: TextlintRuleModule = ({
  Syntax,
  RuleError,
  report,
  getSource,
  locator,
}) => ({
  [Syntax.Paragraph](node) {
    const source = getSource(node);
    const view = nlp(plainText(source));
    const found: readonly Sentence[] = view.json({ offset: true });
    for (const [index, { text, offset }] of found.entries()) {
      const padding = locator.at(offset.start);
      const words = text.split(/\s+/).filter((word) => !/^N+\W?$/.test(word)).length;
      if (words > MAX_WORDS)
        report(node, new RuleError(`${words} words in one sentence: make two of it`, { padding }));
      if (node.parent?.type !== Syntax.Document || text.endsWith(':')) continue;
      if (!view.eq(index).has('#Verb'))
        report(node, new RuleError(`a sentence without a verb: ${text}`, { padding }));
    }
  },
});

/** The words of Markdown, each at its place: code as a noun, links without their addresses. */
function plainText(markdown: string): string {
  return markdown
    .replaceAll(/^\*\*[^*]+[.:]\*\*/g, blank)
    .replaceAll(/`[^`]+`/g, (code) => 'N'.repeat(code.length))
    .replaceAll(/\]\([^)]*\)/g, blank)
    .replaceAll(/[[*_\n]/g, ' ');
}

function blank(text: string): string {
  return ' '.repeat(text.length);
}
