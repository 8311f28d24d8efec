import { once } from 'node:events';
import { fstatSync, writeFileSync } from 'node:fs';
import { clearPassing } from './stderr.ts';
import { writing } from './written.ts';

const BUFFER_CHARS = 1 << 16;

/** The text that is not passed to the system yet. */
let buffered = '';

/** Writes to stdout and waits if its reader is slow. */
export async function print(text: string): Promise<void> {
  buffered += text;
  if (buffered.length > BUFFER_CHARS) await flush();
}

/** Passes the remaining text to the system. */
export async function flush(): Promise<void> {
  const text = buffered;
  buffered = '';
  if (text === '') return;
  if (process.stdout.isTTY) clearPassing();
  isFile ??= fstatSync(STDOUT).isFile();
  // A disk that is nearly full takes a part of a text: Node's stream would take that for all of it.
  if (isFile) writing('the answer', () => writeFileSync(STDOUT, Buffer.from(text)));
  else if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

const STDOUT = 1;
let isFile: boolean | undefined;

/** The number of columns of the terminal, or 80 if there is none. */
export function width(): number {
  return process.stdout.columns ?? 80;
}

/** Colours text on a terminal; with NO_COLOR, and in a pipe, it stays plain. */
export function paint(kind: 'dim' | 'bold' | 'gap' | 'bad', text: string): string {
  const codes = { dim: '2', bold: '1', gap: '33', bad: '1;31' };
  const colours = process.stdout.isTTY && !process.env.NO_COLOR;
  return colours ? `\x1b[${codes[kind]}m${text}\x1b[m` : text;
}
