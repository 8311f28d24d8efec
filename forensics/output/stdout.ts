import { once } from 'node:events';

const BUFFER_CHARS = 1 << 16;

/** What is written and not yet given to the system. */
let buffered = '';

/** Writes to stdout, waiting where its reader is slow. */
export async function print(text: string): Promise<void> {
  buffered += text;
  if (buffered.length > BUFFER_CHARS) await flush();
}

/** Hands on what is left. */
export async function flush(): Promise<void> {
  const text = buffered;
  buffered = '';
  if (text !== '' && !process.stdout.write(text)) await once(process.stdout, 'drain');
}

/** Columns of the terminal; 80 where there is none. */
export function width(): number {
  return process.stdout.columns ?? 80;
}

/** Marks text on a terminal; NO_COLOR and pipes get it plain. */
export function paint(kind: 'dim' | 'bold' | 'gap' | 'bad', text: string): string {
  const codes = { dim: '2', bold: '1', gap: '33', bad: '1;31' };
  const colours = process.stdout.isTTY && !process.env.NO_COLOR;
  return colours ? `\x1b[${codes[kind]}m${text}\x1b[m` : text;
}
