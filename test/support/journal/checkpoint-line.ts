import type { MakeLine } from '../../../agent/journal/checkpoints/sealing.ts';
import { LineNotes } from '../../../record/index/line-notes.ts';
import { createLineWriter } from '../../../record/line/encode.ts';

const BOOT_ID = '7d5c6bd3-5f5e-4a2e-8f0c-0b8a7c1d2e3f';
const LINE_BYTES = 8192;

/** Makes the lines of checkpoints as the agent does, with the times and numbers of nobody. */
export function checkpointLines(): MakeLine {
  const lines = createLineWriter({
    bootId: BOOT_ID,
    hookId: '1',
    self: { pid: 1, ppid: 0, uid: 0, gid: 0, comm: 'test', executable: '/test' },
    offset: () => ({ seconds: 1_700_000_000, nanos: 0 }),
  });
  let n = 0;
  return (facts) => {
    const checkpoint = {
      ...facts,
      hookId: '1',
      nextSeq: [1],
      completeUntil: undefined,
      note: undefined,
    };
    const id = `00000000-0000-5000-8000-${String(n++).padStart(12, '0')}`;
    const bootTime = { seconds: n, nanos: 0 };
    const place = { resource: '{"host.name":"test"}', cgroup: undefined, attributes: '' };
    const record = { action: 'journal.checkpoint', id, bootTime, checkpoint } as const;
    const room = Buffer.alloc(LINE_BYTES);
    const bytes = room.subarray(0, lines.write(record, place, room, 0));
    const notes = new LineNotes();
    notes.add(record, place.resource, bytes, 0, bytes.length);
    return { bytes, notes, written: () => {} };
  };
}
