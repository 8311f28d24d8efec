import { isatty } from 'node:tty';
import { visible } from '../../record/visible.ts';
import { createTextWriter } from './text.ts';
import { viewOf } from './view.ts';

/** How records are printed: one readable line each, or the journal's own lines. */
export type PrintForm = 'text' | 'jsonl';

/**
 * Makes a function that formats a journal line. Without a form: text on a terminal, else the line
 * itself.
 */
export function createFormat(given: PrintForm | undefined): (line: string) => string {
  if (formOf(given) === 'jsonl') return ended;
  const text = createTextWriter({ colours: isatty(1) && !process.env.NO_COLOR });
  return (line) => {
    const view = viewOf(line);
    return view === undefined ? ended(visible(line.replace(/\n$/, ''))) : text(view);
  };
}

/** Returns the form that is meant. */
export function formOf(given: PrintForm | undefined): PrintForm {
  return given ?? (isatty(1) ? 'text' : 'jsonl');
}

function ended(line: string): string {
  return line.endsWith('\n') ? line : `${line}\n`;
}
