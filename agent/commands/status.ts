import { visible } from '../../record/visible.ts';
import type { Config } from '../config/schema.ts';
import { isInHostPidNamespace } from '../run/proc.ts';
import type { State } from '../run/session/checkpoint.ts';
import { NO_FOLDER, type Status, statusOf } from './status-of.ts';

/** Prints what is attached, what was recorded and what was lost. */
export function status(config: Config, options: { readonly output: 'text' | 'json' }): number {
  const found = statusOf(config);
  process.stdout.write(
    options.output === 'json'
      ? `${JSON.stringify(found, null, 2)}\n`
      : statusText(found, Date.now()),
  );
  return 0;
}

/** Returns a few lines for people; text from files cannot control the terminal. */
export function statusText(found: Status, now: number): string {
  const { journalDir, segments, journalBytes, why = 'unreadable' } = found;
  const size = `${plural(segments, 'segment')}, ${sizeText(journalBytes)}`;
  const lines: [string, string][] = [
    ['agent', agentText(found)],
    ['hook', hookText(found)],
    ['journal', `${journalDir}: ${segments === null ? why : size}`],
  ];
  if (found.state !== null) lines.push(...stateLines(found.state, found.pid, now));
  else if (segments !== null) lines.push(['state', `unknown: ${why}`]);
  if (found.export !== null) lines.push(['export', waitingText(found.export.bytes)]);
  const { checkpointVerifierKey: key } = found;
  if (key !== null) lines.push(['key', key]);
  // Without a reader, ring buffer and table may have filled since.
  if (found.pid !== null) lines.push(...kernelLines(found.state ?? {}));
  return lines.map(([name, text]) => `${name.padEnd(9)}${visible(text)}\n`).join('');
}

function agentText({ pid, state, bootId, segments, why = 'unreadable' }: Status): string {
  if (pid !== null) return `running, pid ${pid}`;
  if (segments === null) return why === NO_FOLDER ? 'not running; there is no journal' : why;
  if (state === null) return 'not running; there is no state of an earlier run';
  const latest = `not running; the latest, pid ${known(state.pid)},`;
  if (state.hookState === 'kept') return `${latest} stopped in an orderly way and kept the hook`;
  if (state.hookState === 'detached')
    return `${latest} stopped in an orderly way and detached the hook`;
  const ended =
    state.bootId === bootId ? 'was killed or crashed' : 'ended when the machine rebooted';
  return `${latest} ${ended}`;
}

/** Says who reads the hook, if there is one. */
export function hookText(
  { pid, pinDir, pins }: Status,
  isHostVisible = isInHostPidNamespace(),
): string {
  const { complete, names, missing, holder, why } = pins;
  const elsewhere = pid === null ? '' : '; the running agent has another --pin-dir';
  if (why !== undefined) return `unknown: ${why}`;
  if (names.length === 0) return `${pinDir}: nothing is pinned, nothing records${elsewhere}`;
  if (!complete)
    return `${pinDir}: incomplete, ${missing.join(', ')} missing; \`vcml-agent run\` repairs it`;
  if (holder === undefined && !isHostVisible)
    return `${pinDir}: recording; who reads cannot be seen from this pid namespace`;
  if (holder === undefined)
    return (
      `${pinDir}: recording into its ring buffer, read by no agent${elsewhere}; ` +
      'when the ring buffer is full or --quiet-after has passed, execs are lost and counted'
    );
  if (holder === pid) return `${pinDir}: recording`;
  const reader = holder === 0 ? 'a process of another pid namespace' : `process ${holder}`;
  return `${pinDir}: recording, read by ${reader}, which does not write this journal`;
}

function stateLines(state: Partial<State>, pid: number | null, now: number): [string, string][] {
  const { nodeName, records, gaps, lost, updatedAt } = state;
  const reasons = Object.entries(gaps ?? {}).filter(([, count]) => count > 0);
  const which = pid === null ? 'the latest' : pid === state.pid ? 'this' : 'an earlier';
  const noGaps = gaps === undefined ? known(gaps) : 'none';
  return [
    ['node', known(nodeName)],
    ['as of', `${known(updatedAt)}${agoText(updatedAt, now)}`],
    ['records', `${known(records)} in ${which} run`],
    ['gaps', reasons.map(([reason, count]) => `${count} ${reason}`).join(', ') || noGaps],
    ['lost', lost === 0 ? 'nothing' : plural(lost, 'record')],
  ];
}

function waitingText(bytes: number): string {
  return bytes === 0
    ? 'everything is exported'
    : `${sizeText(bytes)} of the journal are not exported yet`;
}

function kernelLines({ ring, table }: Partial<State>): [string, string][] {
  return [
    ['ring', `${sizeText(ring?.usedBytes)} of ${sizeText(ring?.bytes)} used`],
    ['table', `${known(table?.entries)} of ${known(table?.max)} processes`],
  ];
}

function agoText(time: unknown, now: number): string {
  const seconds = Math.round((now - Date.parse(String(time))) / 1000);
  if (Number.isNaN(seconds)) return '';
  if (seconds < 120) return `, ${Math.max(0, seconds)} s ago`;
  if (seconds < 7200) return `, ${Math.floor(seconds / 60)} min ago`;
  return `, ${Math.floor(seconds / 3600)} h ago`;
}

function plural(count: unknown, noun: string): string {
  return `${known(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Formats a value that may be missing in a damaged file or one of another version. */
function known(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : 'unknown';
}

function sizeText(bytes: unknown): string {
  if (typeof bytes !== 'number' || !(bytes >= 0)) return 'unknown';
  if (bytes < 1024) return `${bytes} B`;
  const power = Math.min(3, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(1)} ${['', 'KiB', 'MiB', 'GiB'][power]}`;
}
