import type { Operation } from '../../integration/journal/disk-model.ts';

const SEGMENT = /^\d{20}\.jsonl$/;

interface Written {
  readonly at: number;
  readonly end: number;
}

interface Growing {
  writes: Written[];
  size: number;
  synced: number;
  isNamed: boolean;
  /** A sync of its name failed. */
  isExcused: boolean;
  /** the bytes that have no time limit: they are no lines, or were there when an agent ended */
  excused: number;
}

/** Knows since when bytes and names of plain segments have not been synced. */
export class Syncs {
  /** Whether a sync has failed since the last power cut. */
  hasFailed = false;
  /** Whether the agent is to sync again what failed. */
  triesAgain = false;
  readonly #segments = new Map<string, Growing>();

  note(operation: Operation, now: number): void {
    if (operation.kind === 'printed' || !SEGMENT.test(operation.name)) return;
    const { kind, name } = operation;
    const segment = this.#segments.get(name);
    if (kind === 'create')
      this.#segments.set(name, {
        writes: [],
        size: 0,
        synced: 0,
        isNamed: false,
        isExcused: false,
        excused: 0,
      });
    if (kind === 'unlink') this.#segments.delete(name);
    if (segment === undefined) return;
    if (kind === 'write') {
      segment.size += operation.bytes.length;
      segment.writes.push({ at: now, end: segment.size });
    }
    if (kind === 'truncate') {
      segment.size = operation.size;
      segment.synced = Math.min(segment.synced, segment.size);
      segment.writes = segment.writes.filter(({ end }) => end <= segment.size);
    }
  }

  /** Nobody syncs while no agent runs: what the last one has not synced has time from then on. */
  inherit(from: number): void {
    for (const segment of this.#segments.values())
      segment.writes = segment.writes.map(({ end }) => ({ at: from, end }));
  }

  /** Notes that a sync begins; what it returns notes its end. */
  begin(name: string): () => void {
    if (name === '.') {
      const there = [...this.#segments.values()];
      return () => {
        for (const segment of there) segment.isNamed = true;
      };
    }
    const segment = this.#segments.get(name);
    const size = segment?.size ?? 0;
    return () => {
      if (segment === undefined) return;
      const synced = Math.max(segment.synced, Math.min(size, segment.size));
      segment.synced = synced;
      segment.writes = segment.writes.filter(({ end }) => end > synced);
    };
  }

  /** Notes a sync that failed: what it was to sync has time from then on. */
  failed(name: string, now: number): void {
    this.hasFailed = true;
    const segment = this.#segments.get(name);
    if (segment !== undefined) {
      if (!this.triesAgain) segment.excused = segment.size;
      segment.writes = segment.writes.map(({ end }) => ({ at: now, end }));
    }
    // A file and the folder are synced together.
    for (const one of this.#segments.values()) one.isExcused = true;
  }

  /** Notes a write that failed: what it left is no line. */
  refused(name: string): void {
    const segment = this.#segments.get(name);
    if (segment !== undefined) segment.excused = segment.size;
  }

  /** Excuses what an agent left when it was killed: nobody syncs it before another one runs. */
  excuse(): void {
    for (const segment of this.#segments.values()) segment.excused = segment.size;
  }

  forget(): void {
    this.hasFailed = false;
    this.#segments.clear();
  }

  /**
   * Finds what must have been synced by now: all but the newest segment, and of that one what was
   * written before `deadline`, unless its policy is never to sync (undefined).
   */
  overdue(deadline: number | undefined): string[] {
    const names = [...this.#segments.keys()].sort();
    // One without lines was made a moment ago, or was not needed.
    const newest = names.findLast((name) => (this.#segments.get(name)?.size ?? 0) > 0) ?? '';
    return names.flatMap((name) => {
      const growing = this.#segments.get(name) as Growing;
      const { writes, synced, isNamed, isExcused, excused, size } = growing;
      const isNewest = name >= newest;
      const pardoned = Math.max(synced, excused);
      const late = writes.filter(
        ({ at, end }) => end > pardoned && (!isNewest || (deadline !== undefined && at < deadline)),
      );
      const nameIsLate = !isNamed && !isExcused && size > 0 && !isNewest;
      return [
        ...(late.length > 0
          ? [`${name}: ${size - synced} bytes are not synced, since ${late[0]?.at} ms`]
          : []),
        ...(nameIsLate ? [`${name}: its name is not synced`] : []),
      ];
    });
  }
}
