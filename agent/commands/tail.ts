import { closeSync, fstatSync, openSync } from 'node:fs';
import type { Config } from '../config.ts';
import { followLines } from '../journal/read.ts';
import { listSegments, type Position, segmentFile } from '../journal/segment.ts';
import { lastLineEnd } from '../journal/tail.ts';
import { createPrinter, type PrintForm } from '../print/printer.ts';

/** Prints records as they are written, from now on, until SIGINT, SIGTERM or a closed stdout. */
export async function tail(
  config: Config,
  options: { readonly print?: PrintForm | undefined },
): Promise<number> {
  const printer = createPrinter(options.print);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());
  printer.onClose(() => stop.abort());
  const end = endOf(config.journalDir);
  for await (const { line } of followLines(config.journalDir, end, stop.signal)) {
    printer.print(line);
    if (printer.busy) await printer.ready();
  }
  return 0;
}

/** The position behind the last whole line. */
function endOf(dir: string): Position | undefined {
  const last = listSegments(dir).at(-1);
  if (last === undefined) return undefined;
  if (last.compressed) return { segment: last.number + 1, offset: 0 };
  const fd = openSync(segmentFile(dir, last), 'r');
  try {
    return { segment: last.number, offset: lastLineEnd(fd, fstatSync(fd).size) };
  } finally {
    closeSync(fd);
  }
}
