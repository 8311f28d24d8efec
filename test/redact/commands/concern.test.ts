import { deepEqual } from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CommandBook, createBook } from '../../../redact/commands/book.ts';
import { RUNNERS, USAGES } from '../../../redact/commands/usages.ts';
import { Walk } from '../../../redact/commands/walk.ts';
import { readCorpus } from '../corpus.ts';

const LINES = readCorpus(join(import.meta.dirname, '../corpus'));

test('the quick test whether a usage matters misses nothing that the usage says', () => {
  const book = createBook(USAGES, RUNNERS);
  // Commands within commands and subcommands are found where they are named.
  const alone: CommandBook = { ...book, commandOf: () => undefined, subcommandOf: () => undefined };
  const missed = LINES.filter(({ marked, executable }) => {
    const args = marked.map((arg) => arg.replaceAll(/[«»]/g, ''));
    const command = book.commandOf(executable ?? args[0] ?? '');
    if (command === undefined || command.concerns(args)) return false;
    const walk = new Walk(alone, () => false, command);
    for (const arg of args.slice(1)) walk.read(arg);
    return walk.end().length + walk.exempt.length > 0;
  });
  deepEqual(
    missed.map(({ line }) => line),
    [],
  );
});
