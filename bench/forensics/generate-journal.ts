// Generates a sound journal of any size that resembles a recorded one:
// node bench/forensics/generate-journal.ts DIR [RECORDS]
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compressSegment } from '../../agent/journal/archive/compress.ts';
import { segmentName } from '../../test/support/journal/segment-name.ts';

const BOOT = '7d8f0f5e-4f66-4c6e-9a55-0d1f5a1c9b11';
const NAMESPACE = Buffer.from(BOOT.replaceAll('-', ''), 'hex');
const ARMED = 9_600_000_000_000n;
const OFFSET = 1_795_400_000_000_000_000n;
const SEGMENT_BYTES = 64 << 20;
/** The compression of the agent. */
const LEVEL = 1;
const NEVER = new AbortController().signal;
const STEP_NS = 250_000n;
/** A process begins so long before its exec. */
const FORKED_NS = 100_000n;
/** A parent is one of this many previous records. */
const NEAR = 200;
const PODS = 50;
const CPUS = 4;
const COMMANDS = [
  ['/usr/bin/sh', 'sh', '-c', 'for i in 1 2 3; do date; done'],
  ['/usr/bin/date', 'date', '--iso-8601=seconds'],
  ['/usr/bin/curl', 'curl', '-s', 'http://cart.shop.svc/healthz'],
  ['/usr/bin/grep', 'grep', '-q', 'ready', '/run/state'],
  ['/usr/local/bin/python3', 'python3', '-m', 'worker', '--queue', 'orders'],
];

/**
 * The longest chain, as on a node: the first process of a container, its shells, and what they
 * start.
 */
const DEPTH_MAX = 24;

/** The journal that was written. */
export interface Generated {
  /** The size of the lines, compressed or not. */
  readonly bytes: number;
  /** The id of a record at the end of a long chain. */
  readonly last: string;
}

/** Writes a sound journal of so many execs, which is the same each time. */
export async function generateJournal(
  directory: string,
  records: number,
  compressed = false,
): Promise<Generated> {
  mkdirSync(directory, { recursive: true });
  const causes = new Int32Array(records).fill(-1);
  const depths = new Uint8Array(records);
  const seqs: number[] = new Array(CPUS).fill(0);
  const segment = new Segment(directory, compressed);
  await segment.add(line('journal.start', start()));
  let random = 1;
  for (let n = 0; n < records; n += 1) {
    random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
    let cause = n < 8 ? -1 : Math.max(n - NEAR, 0) + (random % Math.min(n, NEAR));
    while ((depths[cause] ?? 0) >= DEPTH_MAX) cause = causes[cause] ?? -1;
    causes[n] = cause;
    depths[n] = (depths[cause] ?? 0) + 1;
    const cpu = random % CPUS;
    seqs[cpu] = (seqs[cpu] ?? 0) + 1;
    const parent = cause < 0 ? undefined : execId(cause);
    await segment.add(line('exec', exec(n, execId(n), parent, cpu, seqs[cpu] ?? 0)));
  }
  await segment.close();
  return { bytes: segment.bytes, last: execId(records - 1) };
}

/** The segments of a journal; adding a line closes a segment when it is full. */
class Segment {
  bytes = 0;
  readonly #directory: string;
  readonly #compressed: boolean;
  #number = 0;
  #text: string[] = [];
  #length = 0;

  constructor(directory: string, compressed: boolean) {
    this.#directory = directory;
    this.#compressed = compressed;
  }

  async add(line: string): Promise<void> {
    this.#text.push(line);
    this.#length += line.length;
    if (this.#length >= SEGMENT_BYTES) await this.close();
  }

  async close(): Promise<void> {
    if (this.#length === 0) return;
    this.#number += 1;
    const name = join(this.#directory, segmentName(this.#number));
    const text = Buffer.from(this.#text.join(''));
    writeFileSync(name, text, { mode: 0o600 });
    if (this.#compressed) await compressSegment(this.#directory, this.#number, LEVEL, NEVER);
    this.bytes += text.length;
    this.#text = [];
    this.#length = 0;
  }
}

/**
 * Computes the id of a record, also again for its children, because ten million ids take gigabytes.
 */
const execId = (n: number) => idOf(`${bootTime(n)}:${1000 + n}`);
const bootTime = (n: number) => ARMED + BigInt(n + 1) * STEP_NS;

function wallTime(time: bigint): string {
  const unix = OFFSET + time;
  const milliseconds = new Date(Number(unix / 1_000_000n)).toISOString().slice(0, -1);
  return `${milliseconds}${String(unix % 1_000_000n).padStart(6, '0')}Z`;
}

function line(action: string, { id, time, actor, rest }: Line): string {
  return `{"id":"${id}","timestamp":${OFFSET + time},"actor":${actor},"action":"${action}",${rest}\n`;
}

interface Line {
  readonly id: string;
  readonly time: bigint;
  readonly actor: string;
  readonly rest: string;
}

function start(): Line {
  const attributes = {
    'vcml.boot.id': BOOT,
    'vcml.boot_time': `${ARMED}`,
    'vcml.hook.id': `${ARMED}`,
    'vcml.agent.version': '0.1.0',
    'vcml.format.version': 2,
    'vcml.hook.state': 'attached',
    'vcml.hook.next_seq': new Array(CPUS).fill(1),
  };
  const resource = { 'host.name': 'node-1', 'os.type': 'linux' };
  const head = `"object":"/usr/bin/node","permitted_by":"root_event:journal.start","parent_cause":null`;
  return {
    id: idOf(`${ARMED}:journal.start:0`),
    time: ARMED,
    actor: '{"pid":900,"ppid":1,"uid":0,"gid":0,"comm":"node"}',
    rest: `${head},"resource":${JSON.stringify(resource)},"attributes":${JSON.stringify(attributes)}}`,
  };
}

function exec(n: number, id: string, parent: string | undefined, cpu: number, seq: number): Line {
  const pod = n % PODS;
  const command = n % COMMANDS.length;
  const [path = '', name = ''] = COMMANDS[command] ?? [];
  const why = parent === undefined ? 'unobserved_parent' : 'parent_process_context';
  const cause = parent === undefined ? null : `"${parent}"`;
  const gap = parent === undefined ? '"vcml.gap.reason":"untracked",' : '';
  return {
    id,
    time: bootTime(n),
    actor: `{"pid":${1000 + n},"ppid":${999 + n},"uid":1000,"gid":1000,"comm":"${name}"}`,
    rest:
      `"object":"${path}","permitted_by":"${why}","parent_cause":${cause},` +
      `"resource":${RESOURCES[pod]},"attributes":{"vcml.boot.id":"${BOOT}",` +
      `"vcml.boot_time":"${bootTime(n)}","vcml.hook.id":"${ARMED}","vcml.cpu":${cpu},` +
      `"vcml.seq":${seq},${gap}"process.vpid":${(n % 30_000) + 1},` +
      `"process.creation.time":"${wallTime(bootTime(n) - FORKED_NS)}",` +
      `${ATTRIBUTES[command]},"process.linux.cgroup":"0::/kubepods/burstable/pod${pod}"}}`,
  };
}

const RESOURCES = Array.from({ length: PODS }, (_, pod) =>
  JSON.stringify({
    'host.name': 'node-1',
    'os.type': 'linux',
    'k8s.node.name': 'node-1',
    'container.id': createHash('sha256').update(`${pod}`).digest('hex'),
    'container.image.name': 'registry.example/cart',
    'k8s.namespace.name': 'shop',
    'k8s.pod.name': `cart-${pod}`,
    'k8s.pod.uid': `00000000-0000-4000-8000-${String(pod).padStart(12, '0')}`,
    'k8s.container.name': 'app',
  }),
);

/** The members of each command's attributes that are always the same. */
const ATTRIBUTES = COMMANDS.map(([path, ...args]) =>
  JSON.stringify({
    'process.executable.path': path,
    'process.executable.name': args[0],
    'vcml.executable.inode': '247493',
    'vcml.executable.device': '254:0',
    'vcml.executable.mode': '0755',
    'process.args_count': args.length,
    'process.command': args[0],
    'process.command_args': args,
    'process.working_directory': '/srv',
    'process.user.id': 1000,
    'process.saved_user.id': 1000,
    'vcml.process.effective_group.id': 1000,
    'vcml.process.session_id': 1000,
    'vcml.process.capabilities.effective': '0000000000000000',
    'vcml.namespace.pid': '4026531836',
    'vcml.namespace.mnt': '4026531832',
    'vcml.namespace.net': '4026531833',
    'vcml.namespace.user': '4026531837',
    'vcml.namespace.cgroup': '4026531835',
    'vcml.metadata.state': 'complete',
  }).slice(1, -1),
);

/** Returns the UUIDv5 of a name in the namespace of the boot (RFC 9562). */
function idOf(name: string): string {
  const hash = createHash('sha1').update(NAMESPACE).update(name).digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

if (import.meta.main) {
  const [directory = '', records = '1000000'] = process.argv.slice(2);
  console.log(await generateJournal(directory, Number(records)));
}
