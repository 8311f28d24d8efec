import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { textOf } from '../../record/kernel-text.ts';
import { shellWords } from './shell-words.ts';

/** A real-world command line whose secrets are known. */
export interface CommandLine {
  /** What the line is an example of: the heading above it. */
  readonly kind: string;
  /** the line as it is written in the list, without its marks */
  readonly line: string;
  /** the file that runs, where `[/path]` before the line says so */
  readonly executable: string | undefined;
  /** the arguments as a record has them, with the marks « and » around each secret */
  readonly marked: readonly string[];
}

/** A part of an argument. */
export interface Piece {
  readonly text: string;
  readonly secret: boolean;
}

/** Reads the lists of a folder, in the order of its files' names. */
export function readCorpus(folder: string): CommandLine[] {
  const files = globSync('*.txt', { cwd: folder }).sort();
  return files.flatMap((file) =>
    readList(basename(file), readFileSync(join(folder, file), 'utf8')),
  );
}

function readList(file: string, text: string): CommandLine[] {
  let kind = file;
  const lines: CommandLine[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('# ')) kind = line.slice(2);
    else if (line !== '') lines.push(readLine(kind, line));
  }
  return lines;
}

function readLine(kind: string, line: string): CommandLine {
  const [, executable, command = ''] = /^(?:\[(\/[^\]]+)\] )?(.*)$/s.exec(line) ?? [];
  const marked = shellWords(command).map((word) => {
    const bytes = Buffer.from(word);
    return textOf(bytes, 0, bytes.length);
  });
  return { kind, line: line.replaceAll(/[«»]/g, ''), executable, marked };
}

/** The parts of a marked argument, secret and other ones in turns; none is empty. */
export function piecesOf(marked: string): Piece[] {
  return marked
    .split(/[«»]/)
    .map((text, index) => ({ text, secret: index % 2 === 1 }))
    .filter(({ text }) => text !== '');
}
