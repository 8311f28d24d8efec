import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { listSegments, segmentFile } from '../journal/segment.ts';
import { readState } from '../journal/state.ts';
import type { State } from '../state.ts';

/** What `status --output json` gives; `state` is state.json as the last agent left it. */
export interface Status {
  readonly running: boolean;
  readonly pinned: boolean;
  readonly pinDir: string;
  readonly journalDir: string;
  readonly segments: number;
  readonly journalBytes: number;
  readonly state: Partial<State> | null;
  /** why there is no state */
  readonly why?: string;
}

/** Tells what is attached and how the record is doing. */
export function status(config: Config, options: { readonly output: 'text' | 'json' }): number {
  const found = statusOf(config);
  process.stdout.write(
    options.output === 'json' ? `${JSON.stringify(found, null, 2)}\n` : statusText(found),
  );
  return 0;
}

function statusOf({ journalDir, pinDir }: Config): Status {
  const { state, why } = readState(journalDir);
  const sizes = segmentSizes(journalDir);
  return {
    running: isHeld(journalDir),
    pinned: existsSync(pinDir),
    pinDir,
    journalDir,
    segments: sizes.length,
    journalBytes: sizes.reduce((sum, bytes) => sum + bytes, 0),
    state: typeof state === 'object' ? state : null,
    ...(why !== undefined && { why }),
  };
}

/** An agent writes the journal: the lock names a process that is there. */
function isHeld(dir: string): boolean {
  try {
    const [pid, start] = readFileSync(join(dir, 'lock'), 'utf8').split(' ');
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] === start;
  } catch {
    return false;
  }
}

function segmentSizes(dir: string): number[] {
  if (!existsSync(dir)) return [];
  return listSegments(dir).map(
    (segment) => statSync(segmentFile(dir, segment), { throwIfNoEntry: false })?.size ?? 0,
  );
}

/** A few lines for people. */
export function statusText(found: Status): string {
  const { state } = found;
  const lines: [string, string][] = [
    ['agent', found.running ? `running, pid ${state?.pid ?? 'unknown'}` : 'not running'],
    ['hook', `${hookText(found)} (${found.pinDir})`],
    [
      'journal',
      `${found.segments} segments, ${sizeText(found.journalBytes)} (${found.journalDir})`,
    ],
  ];
  if (state === null) lines.push(['state', `unknown: ${found.why ?? 'unreadable'}`]);
  else lines.push(...stateLines(state));
  return lines.map(([name, text]) => `${name.padEnd(9)}${text}\n`).join('');
}

function hookText({ pinned, running }: Status): string {
  if (!pinned) return 'nothing pinned';
  return running ? 'recording' : 'pinned: the kernel goes on recording into its ring';
}

function stateLines({ nodeName, records, gaps, lost, ring, table, updatedAt }: Partial<State>) {
  const reasons = Object.entries(gaps ?? {}).filter(([, count]) => count > 0);
  const lines: [string, string][] = [
    ['node', nodeName ?? 'unknown'],
    ['records', `${records ?? 0} in the latest run`],
    ['gaps', reasons.map(([reason, count]) => `${count} ${reason}`).join(', ') || 'none'],
    ['lost', lost ? `${lost} records` : 'nothing'],
  ];
  if (ring) lines.push(['ring', `${sizeText(ring.usedBytes)} of ${sizeText(ring.bytes)} used`]);
  if (table) lines.push(['table', `${table.entries} of ${table.max} processes`]);
  lines.push(['updated', updatedAt ?? 'unknown']);
  return lines;
}

function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const power = Math.min(3, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(1)} ${['', 'KiB', 'MiB', 'GiB'][power]}`;
}
