import { dateOf, onWall, rfc3339, wall } from '../time.ts';
import {
  type CausalRecord,
  type ExecRecord,
  type Gap,
  type Invocation,
  type JournalRecord,
  nanosecondsOf,
  type WallOffset,
} from '../types.ts';
import { ByteWriter } from './byte-writer.ts';
import { type InvocationText, invocationText } from './encode-invocation.ts';
import { json } from './json-text.ts';

/** The agent itself, as the actor of records about the journal. */
export interface Self {
  readonly pid: number;
  readonly ppid: number;
  readonly uid: number;
  readonly gid: number;
  readonly comm: string;
  readonly executable: string;
}

export interface LineOptions {
  readonly bootId: string;
  /** boot time of arming, decimal */
  readonly hookId: string;
  readonly self: Self;
  /** The wall clock's lead over the boot clock, as it is now. */
  offset(): WallOffset;
}

/** What is known of where an exec happened. */
export interface Place {
  /** The resource as JSON text: one object per distinct value. */
  readonly resource: string;
  /** a line of /proc/PID/cgroup; undefined: not known */
  readonly cgroup: string | undefined;
  /** JSON text of more attributes, each with a comma before it: few distinct ones */
  readonly attributes: string;
}

/** What containers have comes and goes with them. */
const KEPT_MAX = 1024;

/** Records to lines of JSON, each ended by a line feed: docs/record.md, field by field. */
export interface LineWriter {
  /** Writes a line into `bytes` from `at` on, where it must have room; returns where it ends. */
  write(record: CausalRecord, place: Place, bytes: Buffer, at: number): number;
}

/** Everything that does not change from record to record is rendered once and kept. */
export function createLineWriter(options: LineOptions): LineWriter {
  // As long as its invocation comes again: then the decoder has it, too.
  const invocations = new WeakMap<Invocation, InvocationText>();
  const bootId = `"attributes":{"vcml.boot.id":${json(options.bootId)},"vcml.boot_time":"`;
  const hookId = `","vcml.hook.id":${json(options.hookId)}`;
  const behindBootTime = Buffer.from(`${hookId},"vcml.cpu":`);
  const resourceOf = keep((resource) => `,"resource":${resource},${bootId}`);
  const attributesOf = keep((attributes) => attributes);
  const cgroupOf = keep((cgroup) => `,"process.linux.cgroup":${json(cgroup)}}}\n`);
  const self = selfText(options.self);
  const writer = new ByteWriter();

  function exec(record: ExecRecord, place: Place): void {
    const { event, parentCause } = record;
    const offset = options.offset();
    const invocation = invocationOf(event.invocation);
    writer.bytes(PARTS.id);
    writer.ascii(record.id);
    writer.bytes(PARTS.timestamp);
    writer.nanoseconds(onWall(event.bootTime, offset));
    writer.bytes(PARTS.pid);
    writer.integer(event.pid);
    writer.bytes(PARTS.ppid);
    writer.integer(event.ppid);
    writer.bytes(invocation.core);
    if (parentCause === null) writer.bytes(PARTS.unobserved);
    else {
      writer.bytes(PARTS.parent);
      writer.ascii(parentCause);
      writer.bytes(PARTS.quote);
    }
    writer.bytes(resourceOf(place.resource));
    writer.nanoseconds(event.bootTime);
    writer.bytes(behindBootTime);
    writer.integer(event.cpu);
    writer.bytes(PARTS.seq);
    writer.integer(event.seq);
    if (record.gap !== undefined) writer.bytes(Buffer.from(gapText(record.gap, offset)));
    writer.bytes(PARTS.vpid);
    writer.integer(event.vpid);
    writer.bytes(PARTS.created);
    const created = onWall(event.startTime, offset);
    writer.ascii(dateOf(created.seconds));
    writer.bytes(PARTS.point);
    writer.nineDigits(created.nanos);
    writer.bytes(PARTS.zone);
    writer.bytes(invocation.attributes);
    if (place.attributes !== '') writer.bytes(attributesOf(place.attributes));
    writer.bytes(place.cgroup === undefined ? PARTS.end : cgroupOf(place.cgroup));
  }

  function invocationOf(invocation: Invocation): InvocationText {
    const known = invocations.get(invocation);
    if (known !== undefined) return known;
    const text = invocationText(invocation);
    if (!invocation.recurring) return text;
    const kept = { core: owned(text.core), attributes: owned(text.attributes) };
    invocations.set(invocation, kept);
    return kept;
  }

  function journal(record: JournalRecord, place: Place): string {
    const root = `"permitted_by":"root_event:${record.action}","parent_cause":null`;
    const time = wall(record.bootTime, options.offset());
    return (
      `{"id":"${record.id}","timestamp":${time},${self.actor},"action":"${record.action}",` +
      `"object":${self.object},${root},"resource":${place.resource},` +
      `${bootId}${nanosecondsOf(record.bootTime)}${hookId}${journalText(record)}}}\n`
    );
  }

  return {
    write: (record, place, bytes, at) => {
      writer.move(bytes, at);
      if (record.action === 'exec') exec(record, place);
      else writer.bytes(Buffer.from(journal(record, place)));
      return writer.at;
    },
  };
}

/** What stands between the values of an exec's line. */
const PARTS = {
  id: Buffer.from('{"id":"'),
  timestamp: Buffer.from('","timestamp":'),
  pid: Buffer.from(',"actor":{"pid":'),
  ppid: Buffer.from(',"ppid":'),
  parent: Buffer.from('"parent_process_context","parent_cause":"'),
  quote: Buffer.from('"'),
  unobserved: Buffer.from('"unobserved_parent","parent_cause":null'),
  seq: Buffer.from(',"vcml.seq":'),
  vpid: Buffer.from(',"process.vpid":'),
  created: Buffer.from(',"process.creation.time":"'),
  point: Buffer.from('.'),
  zone: Buffer.from('Z"'),
  end: Buffer.from('}}\n'),
};

/** Text that recurs, as UTF-8. */
function keep(render: (key: string) => string): (key: string) => Uint8Array {
  const kept = new Map<string, Uint8Array>();
  return (key) => {
    const known = kept.get(key);
    if (known !== undefined) return known;
    if (kept.size >= KEPT_MAX) kept.clear();
    const bytes = owned(Buffer.from(render(key)));
    kept.set(key, bytes);
    return bytes;
  };
}

/** In memory of its own: a small Buffer keeps all 64 KiB alive of which Node gave it a part. */
function owned(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function selfText(self: Self): { actor: string; object: string } {
  const { pid, ppid, uid, gid } = self;
  const actor = JSON.stringify({ pid, ppid, uid, gid });
  return {
    actor: `"actor":${actor.slice(0, -1)},"comm":${json(self.comm)}}`,
    object: json(self.executable),
  };
}

function gapText(gap: Gap, offset: WallOffset): string {
  const reason = `,"vcml.gap.reason":"${gap.reason}"`;
  if (gap.reason === 'untracked') return reason;
  if (gap.reason === 'lost') return `${reason},"vcml.gap.lost_cause":"${gap.lostCause}"`;
  const { comm, executablePath } = gap.ancestor ?? {};
  return (
    `${reason},"vcml.gap.ancestor.pid":${gap.pid}` +
    `,"vcml.gap.ancestor.start_time":"${rfc3339(gap.startTime, offset)}"` +
    (comm ? `,"vcml.gap.ancestor.comm":${json(comm)}` : '') +
    (executablePath ? `,"vcml.gap.ancestor.executable.path":${json(executablePath)}` : '')
  );
}

function journalText(record: JournalRecord): string {
  if (record.action === 'journal.start') {
    const { version, hookState, nextSeq } = record;
    return (
      `,"vcml.agent.version":${json(version)},"vcml.format.version":1` +
      `,"vcml.hook.state":"${hookState}","vcml.hook.next_seq":${JSON.stringify(nextSeq)}`
    );
  }
  if (record.action === 'journal.stop') {
    const { hookState, records, gaps, losses } = record;
    return (
      `,"vcml.hook.state":"${hookState}","vcml.journal.records":${records}` +
      `,"vcml.journal.gaps":${gaps},"vcml.journal.losses":${losses}`
    );
  }
  const { loss } = record;
  const integer = (name: string, value: number | undefined) =>
    value === undefined ? '' : `,"vcml.loss.${name}":${value}`;
  return (
    `,"vcml.loss.stage":"${loss.stage}"` +
    (loss.hookId === undefined ? '' : `,"vcml.loss.hook_id":${json(loss.hookId)}`) +
    (loss.bootId === undefined ? '' : `,"vcml.loss.boot_id":${json(loss.bootId)}`) +
    integer('cpu', loss.cpu) +
    integer('first_seq', loss.firstSeq) +
    integer('last_seq', loss.lastSeq) +
    integer('count', loss.count) +
    (loss.nextSeq === undefined ? '' : `,"vcml.loss.next_seq":${JSON.stringify(loss.nextSeq)}`)
  );
}
