import { AgentError, EXIT } from '../errors.ts';
import type { OnUnreadable } from '../journal/read.ts';
import { listSegmentsSync, type Segment } from '../journal/segment.ts';

/** Lists the segments of a journal that must exist; throws JOURNAL_ABSENT. */
export function segmentsOf(dir: string): Segment[] {
  try {
    return listSegmentsSync(dir);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AgentError('JOURNAL_ABSENT', { reason: why }, { cause: error });
  }
}

/** What became of segments that a command could not read. */
export interface Unreadable {
  readonly note: OnUnreadable;
  /** of the command */
  readonly exitCode: number;
}

/** Names each segment that cannot be read on stderr, once; the command continues. */
export function reportUnreadable(): Unreadable {
  const reported = new Set<string>();
  return {
    note({ message }) {
      if (!reported.has(message)) process.stderr.write(`vcml-agent: ${message}\n`);
      reported.add(message);
    },
    get exitCode() {
      return reported.size > 0 ? EXIT.journal : 0;
    },
  };
}
