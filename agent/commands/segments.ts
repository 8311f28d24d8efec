import { AgentError } from '../errors.ts';
import { listSegments, type Segment } from '../journal/segment.ts';

/** Lists the segments of a journal that must exist; throws JOURNAL_ABSENT. */
export function segmentsOf(dir: string): Segment[] {
  try {
    return listSegments(dir);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AgentError('JOURNAL_ABSENT', { reason: why }, { cause: error });
  }
}
