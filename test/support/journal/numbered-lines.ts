import type { DeletedRange } from '../../../agent/journal/archive/retention.ts';

const HOOK = { 'vcml.hook.id': '5' };

/** A line with a number, counted from 0, that is the number of an exec as well, counted from 1. */
export function numberedLine(n: number, padding: string): string {
  return JSON.stringify({ n, padding, ...HOOK, 'vcml.cpu': 0, 'vcml.seq': n + 1 });
}

/** A line that records a deletion for space. */
export function deletionLine({ hookId, cpu, firstSeq, lastSeq, count }: DeletedRange): string {
  return JSON.stringify({
    ...HOOK,
    'vcml.loss.stage': 'retention',
    'vcml.loss.hook_id': hookId,
    'vcml.loss.cpu': cpu,
    'vcml.loss.first_seq': firstSeq,
    'vcml.loss.last_seq': lastSeq,
    'vcml.loss.count': count,
  });
}
