/** Journals for the tests of the judge. */

import { uuid5 } from './uuid.ts';

export const BOOT = '7d8f0f5e-4f66-4c6e-9a55-0d1f5a1c9b11';
export const OTHER_BOOT = '0c0e9f0a-1f0a-4a63-8f0e-6b8f6b1a2c3d';
export const HOOK = 1_000_000_000_000n;
const OFFSET = 1_764_000_000_000_000_000n;

type Fields = Record<string, unknown>;
export interface Draft extends Fields {
  actor: Fields;
  resource: Fields;
  attributes: Fields;
}

export const time = (boot: bigint) => {
  const unix = OFFSET + boot;
  const seconds = new Date(Number(unix / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(unix % 1_000_000_000n).padStart(9, '0')}Z`;
};
export const execId = (at: number, pid: number, boot = BOOT) =>
  uuid5(boot, `${HOOK + BigInt(at)}:${pid}`);

/** Returns a record at so many nanoseconds after the arming. */
export function draft(
  at: number,
  action: string,
  n: number | undefined,
  attributes: Fields,
): Draft {
  const bootTime = HOOK + BigInt(at);
  return {
    id: uuid5(BOOT, n === undefined ? `${bootTime}:1` : `${bootTime}:${action}:${n}`),
    timestamp: OFFSET + bootTime,
    actor: { pid: 1, ppid: 1, uid: 0, gid: 0, comm: 'x' },
    action,
    object: '/usr/bin/x',
    permitted_by: `root_event:${action}`,
    parent_cause: null,
    resource: { 'host.name': 'node', 'os.type': 'linux' },
    attributes: { 'vcml.boot.id': BOOT, 'vcml.boot_time': String(bootTime), ...attributes },
  };
}

export function start(nextSeq: number[], state = 'attached', at = 1): Draft {
  return draft(at, 'journal.start', 0, {
    'vcml.agent.version': '0.1.0',
    'vcml.format.version': '1',
    'vcml.hook.id': String(HOOK),
    'vcml.hook.state': state,
    'vcml.hook.next_seq': nextSeq,
  });
}

export function exec(at: number, pid: number, cpu: number, seq: number, more: Fields = {}): Draft {
  const { parent, ...attributes } = more;
  const gap = {
    'vcml.gap.reason': 'predates_hook',
    'vcml.gap.ancestor.pid': 7,
    'vcml.gap.ancestor.start_time': time(HOOK - 5n),
  };
  const record = draft(at, 'exec', undefined, {
    'vcml.hook.id': String(HOOK),
    'vcml.cpu': cpu,
    'vcml.seq': seq,
    'process.vpid': pid,
    'process.creation.time': time(HOOK),
    'process.executable.path': '/usr/bin/x',
    'process.executable.name': 'x',
    'process.command': 'x',
    'process.command_args': ['x', ''],
    'process.args_count': 2,
    'process.working_directory': '/',
    'process.user.id': 0,
    'process.saved_user.id': 0,
    'process.linux.cgroup': '/',
    'vcml.namespace.pid': '1',
    'vcml.namespace.mnt': '2',
    'vcml.namespace.net': '3',
    'vcml.namespace.user': '4',
    'vcml.namespace.cgroup': '5',
    'vcml.executable.inode': '6',
    'vcml.executable.device': '8:1',
    'vcml.executable.mode': '0755',
    ...(parent === undefined && !('vcml.gap.reason' in attributes) ? gap : {}),
    ...attributes,
  });
  record.id = execId(at, pid);
  record.actor.pid = pid;
  record.permitted_by = parent === undefined ? 'unobserved_parent' : 'parent_process_context';
  record.parent_cause = parent ?? null;
  return record;
}

export function loss(
  at: number,
  n: number,
  cpu: number,
  first: number,
  last: number,
  more = {},
): Draft {
  return draft(at, 'journal.loss', n, {
    'vcml.loss.stage': 'ring_buffer',
    'vcml.loss.hook_id': String(HOOK),
    'vcml.loss.cpu': cpu,
    'vcml.loss.first_seq': first,
    'vcml.loss.last_seq': last,
    'vcml.loss.count': last - first + 1,
    ...more,
  });
}

export function stop(at: number, n: number, records: number, gaps: number, losses: number): Draft {
  return draft(at, 'journal.stop', n, {
    'vcml.hook.state': 'kept',
    'vcml.journal.records': records,
    'vcml.journal.gaps': gaps,
    'vcml.journal.losses': losses,
  });
}

/** Returns a journal of two CPUs, with a chain across them, a loss and its gap, and a stop. */
export function sound() {
  return {
    start: start([1, 1]),
    root: exec(10, 100, 0, 1),
    child: exec(20, 101, 1, 1, { parent: execId(10, 100) }),
    loss: loss(30, 1, 0, 2, 4),
    orphan: exec(40, 103, 1, 2, {
      'vcml.gap.reason': 'lost',
      'vcml.gap.lost_cause': execId(25, 102),
    }),
    later: exec(50, 104, 0, 5, { parent: execId(40, 103) }),
    stop: stop(60, 2, 4, 2, 3),
  };
}
export type Sound = ReturnType<typeof sound>;

export function text(record: unknown): string {
  return JSON.stringify(record, (_, value) => (typeof value === 'bigint' ? `#${value}#` : value))
    .replaceAll(/"#(\d+)#"/g, '$1')
    .replaceAll(
      /[\u0085\u2028\u2029]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
}

export const lines = (records: Iterable<Draft>) => Array.from(records, text);
/** Returns the rules of the findings, each once. */
export const rules = (findings: readonly { rule: string }[]) => [
  ...new Set(findings.map((f) => f.rule)),
];
