import { textOf } from '../../record/kernel-text.ts';

/** Returns a text of a request as a record has it: with its backslashes, and with bytes that are not UTF-8, escaped. */
export function asRecorded(text: string): string {
  const bytes = Buffer.from(text);
  return textOf(bytes, 0, bytes.length);
}
