import { createTextWriter } from './text.ts';
import { viewOf } from './view.ts';

/** Journal lines to stdout, one write per turn of the event loop. */
export interface Printer {
  print(line: string): void;
  /** Resolves when stdout takes more; at once if it does already. */
  ready(): Promise<void>;
  /** True when nobody reads stdout any more. */
  readonly closed: boolean;
}

/** Prints to a stream; once its reader is gone, it drops what it is given. */
export function createPrinter(
  form: 'text' | 'jsonl',
  stdout: NodeJS.WriteStream = process.stdout,
): Printer {
  const colours = stdout.isTTY === true && !process.env.NO_COLOR;
  const text = form === 'text' ? createTextWriter({ colours }) : undefined;
  let lines: string[] = [];
  let closed = false;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    closed = true;
    lines = [];
  });

  function flush(): void {
    if (!closed) stdout.write(lines.join(''));
    lines = [];
  }

  return {
    print(line) {
      if (closed) return;
      const whole = line.endsWith('\n') ? line : `${line}\n`;
      const view = text && viewOf(line);
      if (lines.push(text && view ? text(view) : whole) === 1) setImmediate(flush);
    },
    async ready() {
      await new Promise((resolve) => setImmediate(resolve));
      if (!closed && stdout.writableNeedDrain)
        await new Promise<void>((resolve) => {
          stdout
            .once('drain', resolve)
            .once('close', resolve)
            .once('error', () => resolve());
        });
    },
    get closed() {
      return closed;
    },
  };
}
