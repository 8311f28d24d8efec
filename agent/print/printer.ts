import { createTextWriter } from './text.ts';
import { viewOf } from './view.ts';

const BUSY_BYTES = 1 << 20;

export type PrintForm = 'text' | 'jsonl';

/** Journal lines to stdout, one write per turn of the event loop. */
export interface Printer {
  print(line: string): void;
  /** So much waits to be written that who can should wait for `ready`. */
  readonly busy: boolean;
  /** Resolves when everything is written, or nobody reads any more. */
  ready(): Promise<void>;
  /** Nobody reads stdout any more: what is given is dropped. */
  readonly closed: boolean;
  onClose(call: () => void): void;
}

/** Prints to a stream; without a form, text on a terminal and the lines as they are elsewhere. */
export function createPrinter(
  given: PrintForm | undefined,
  stdout: NodeJS.WriteStream = process.stdout,
): Printer {
  const form = given ?? (stdout.isTTY ? 'text' : 'jsonl');
  const colours = stdout.isTTY === true && !process.env.NO_COLOR;
  const text = form === 'text' ? createTextWriter({ colours }) : undefined;
  const closing: (() => void)[] = [];
  let waiting = '';
  let closed = false;
  stdout.on('error', () => {
    closed = true;
    waiting = '';
    for (const call of closing.splice(0)) call();
  });

  function flush(): void {
    if (!closed && waiting !== '') stdout.write(waiting);
    waiting = '';
  }

  return {
    print(line) {
      if (closed) return;
      if (waiting === '') setImmediate(flush);
      const view = text && viewOf(line);
      waiting += text && view ? text(view) : ended(line);
    },
    get busy() {
      return waiting.length + stdout.writableLength > BUSY_BYTES;
    },
    async ready() {
      flush();
      if (closed || stdout.writableLength === 0) return;
      // called on failure as well
      await new Promise<void>((resolve) => stdout.write('', () => resolve()));
    },
    get closed() {
      return closed;
    },
    onClose(call) {
      closing.push(call);
    },
  };
}

function ended(line: string): string {
  return line.endsWith('\n') ? line : `${line}\n`;
}
