import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** Where the messages come from that documents quote. */
const SOURCES = [
  'agent/**/*.ts',
  'record/*.ts',
  'native/*.cc',
  'bin/*',
  'helm/schema.ts',
  'helm/vcml-agent/templates/*.tpl',
  'helm/vcml-agent/files/test.sh',
];

/** Messages of Kubernetes and Helm. */
const FOREIGN = new Set([
  'violates PodSecurity',
  'hostPath type check failed',
  "additional properties 'ringsize' not allowed",
  'Additional property ringsize is not allowed',
  'does not match pattern',
  'Must validate at least one schema',
]);

const PROGRAM = /^(kubectl|helm|vcml-agent|bin\/|bpftool|mount) /;

/** Headings of columns that quote messages. */
const QUOTING = /symptom|message|says/;

/**
 * What is wrong with the messages that the first column of a document's tables quotes, as
 * `line: message`. A quoted message is code with a space in it; `…` stands for what varies.
 */
export function unknownQuotes(document: string): string[] {
  const problems: string[] = [];
  let heading: string | undefined;
  for (const [at, line] of document.split('\n').entries()) {
    const [, first] = line.split(/(?<!\\)\|/);
    heading = first === undefined ? undefined : (heading ?? first);
    if (first === undefined || heading === undefined || !QUOTING.test(heading)) continue;
    for (const [, quote = ''] of first.matchAll(/`([^`]*)`/g))
      if (/\s/.test(quote) && !FOREIGN.has(quote) && !PROGRAM.test(quote) && !isWritten(quote))
        problems.push(`${at + 1}: no message says: ${quote}`);
  }
  return problems;
}

let written: string | undefined;

function isWritten(quote: string): boolean {
  written ??= SOURCES.flatMap((pattern) => globSync(pattern, { cwd: ROOT }))
    .map((file) => readFileSync(join(ROOT, file), 'utf8'))
    // Parts of a string that stand on lines of their own.
    .map((text) => text.replaceAll(/["'`] ?\+?\s*\n\s*\+?\s*["'`]/g, ''))
    .join('\n');
  const parts = quote.split(/…|"…"/).map((part) => part.trim());
  return parts.every((part) => written?.includes(part));
}
