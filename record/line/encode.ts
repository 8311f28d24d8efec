import { CHECKPOINT } from '../fields/checkpoint.ts';
import { ENVIRONMENT, ENVIRONMENT_PREFIX } from '../fields/environment.ts';
import { NUMBERS, PLACE, PROCESS } from '../fields/exec.ts';
import { GAP } from '../fields/gap.ts';
import { LOSS, START, STOP } from '../fields/journal.ts';
import { dateOf, onWall, wall } from '../time.ts';
import {
  type CausalRecord,
  type ExecRecord,
  type Invocation,
  type JournalRecord,
  nanosecondsOf,
  type Place,
  type RecordedEnvironment,
  type WallOffset,
} from '../types.ts';
import { createAttributesText } from './attributes.ts';
import { ByteWriter } from './byte-writer.ts';
import { type InvocationText, invocationText } from './encode-invocation.ts';
import { json } from './json-text.ts';
import { before, FIRST, LAYOUT } from './layout.ts';

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

/** The text of a container is of no use once the container has ended, so that few are enough. */
const KEPT_MAX = 512;
const KEPT_BYTES_MAX = 2 << 20;

/**
 * Writes records as lines of JSON, each with a line feed at its end: docs/record.md, field by
 * field.
 */
export interface LineWriter {
  /**
   * Writes a line into `bytes` from `at` on, where it must have room; returns the position after
   * it.
   */
  write(record: CausalRecord, place: Place, bytes: Buffer, at: number): number;
}

/**
 * Makes a line writer. Everything that does not change from record to record is rendered once and
 * kept.
 */
export function createLineWriter(options: LineOptions): LineWriter {
  // A text is kept for as long as the decoder keeps its invocation.
  const invocations = new WeakMap<Invocation, InvocationText>();
  const bootId = `${FIRST.attribute}${json(options.bootId)},${before(NUMBERS.bootTime)}"`;
  const hookId = `",${before(NUMBERS.hookId)}${json(options.hookId)}`;
  const behindBootTime = Buffer.from(`${hookId},${before(NUMBERS.cpu)}`);
  const resourceOf = keep(
    (resource) => `${LAYOUT.resource}${resource}${LAYOUT.attributes}${bootId}`,
  );
  const attributesOf = keep((attributes) => attributes);
  const cgroupOf = keep((cgroup) => `,${before(PLACE.cgroup)}${json(cgroup)}${LAYOUT.end}\n`);
  const createdIn = keepLast((seconds: number) =>
    Buffer.from(`,${before(PROCESS.created)}"${dateOf(seconds)}.`),
  );
  const self = selfText(options.self);
  const writer = new ByteWriter();

  function exec(record: ExecRecord, place: Place): void {
    const { event, parentCause } = record;
    const offset = options.offset();
    const invocation = invocationOf(event.invocation);
    writer.bytes(BETWEEN.id);
    writer.uuid(record.id);
    writer.bytes(BETWEEN.timestamp);
    writer.nanoseconds(onWall(event.bootTime, offset));
    writer.bytes(BETWEEN.pid);
    writer.integer(event.pid);
    writer.bytes(BETWEEN.ppid);
    writer.integer(event.ppid);
    writer.bytes(invocation.core);
    if (parentCause === null) writer.bytes(BETWEEN.unobserved);
    else {
      writer.bytes(BETWEEN.parent);
      writer.uuid(parentCause);
      writer.bytes(BETWEEN.quote);
    }
    writer.bytes(resourceOf(place.resource));
    writer.nanoseconds(event.bootTime);
    writer.bytes(behindBootTime);
    writer.integer(event.cpu);
    writer.bytes(BETWEEN.seq);
    writer.integer(event.seq);
    if (record.gap !== undefined) writer.bytes(Buffer.from(gapText({ gap: record.gap, offset })));
    writer.bytes(BETWEEN.vpid);
    writer.integer(event.vpid);
    const created = onWall(event.startTime, offset);
    writer.bytes(createdIn(created.seconds));
    writer.nineDigits(created.nanos);
    writer.bytes(BETWEEN.zone);
    // It varies from exec to exec, so that it is no part of the texts that are kept.
    if (event.recordedEnvironment !== undefined)
      writer.bytes(Buffer.from(environmentText(event.recordedEnvironment)));
    writer.bytes(invocation.attributes);
    if (place.attributes !== '') writer.bytes(attributesOf(place.attributes));
    writer.bytes(place.cgroup === undefined ? BETWEEN.end : cgroupOf(place.cgroup));
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
    const time = wall(record.bootTime, options.offset());
    return (
      `${LAYOUT.id}"${record.id}"${LAYOUT.timestamp}${time}${self.actor}` +
      `${LAYOUT.action}"${record.action}"${LAYOUT.object}${self.object}` +
      `${LAYOUT.permittedBy}"root_event:${record.action}"${LAYOUT.parentCause}null` +
      `${LAYOUT.resource}${place.resource}${LAYOUT.attributes}` +
      `${bootId}${nanosecondsOf(record.bootTime)}${hookId}${journalText(record)}${LAYOUT.end}\n`
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

/** What stands between the values of an exec's line, mostly named after the value that follows. */
const BETWEEN = {
  id: Buffer.from(`${LAYOUT.id}"`),
  timestamp: Buffer.from(`"${LAYOUT.timestamp}`),
  pid: Buffer.from(LAYOUT.pid),
  ppid: Buffer.from(LAYOUT.ppid),
  parent: Buffer.from(`"parent_process_context"${LAYOUT.parentCause}"`),
  quote: Buffer.from('"'),
  unobserved: Buffer.from(`"unobserved_parent"${LAYOUT.parentCause}null`),
  seq: Buffer.from(`,${before(NUMBERS.seq)}`),
  vpid: Buffer.from(`,${before(PROCESS.vpid)}`),
  zone: Buffer.from('Z"'),
  end: Buffer.from(`${LAYOUT.end}\n`),
};

const gapText = createAttributesText(GAP);
const searchedText = createAttributesText(ENVIRONMENT);
const lossText = createAttributesText(LOSS);
const startText = createAttributesText(START);
const checkpointText = createAttributesText(CHECKPOINT);
const stopText = createAttributesText(STOP);

function environmentText(environment: RecordedEnvironment): string {
  const variables = environment.variables.map(
    ({ name, value }) => `,${json(`${ENVIRONMENT_PREFIX}${name}`)}:${json(value)}`,
  );
  return searchedText(environment) + variables.join('');
}

/** Keeps recurring text as UTF-8. */
function keep(render: (key: string) => string): (key: string) => Uint8Array {
  const kept = new Map<string, Uint8Array>();
  let length = 0;
  // Most records have the text of the record before.
  return keepLast((key: string) => {
    const known = kept.get(key);
    if (known !== undefined) return known;
    const bytes = owned(Buffer.from(render(key)));
    length += bytes.length;
    if (kept.size >= KEPT_MAX || length > KEPT_BYTES_MAX) {
      kept.clear();
      length = bytes.length;
    }
    kept.set(key, bytes);
    return bytes;
  });
}

/** Keeps what was rendered last. */
function keepLast<Key>(render: (key: Key) => Uint8Array): (key: Key) => Uint8Array {
  let last: { readonly key: Key; readonly bytes: Uint8Array } | undefined;
  return (key) => {
    if (last === undefined || last.key !== key) last = { key, bytes: render(key) };
    return last.bytes;
  };
}

/**
 * Copies bytes into their own memory: a small Buffer is a part of 64 KiB and keeps all of it alive.
 */
function owned(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function selfText(self: Self): { actor: string; object: string } {
  const { pid, ppid, uid, gid } = self;
  return {
    actor:
      `${LAYOUT.pid}${pid}${LAYOUT.ppid}${ppid}${LAYOUT.uid}${uid}${LAYOUT.gid}${gid}` +
      `${LAYOUT.comm}${json(self.comm)}`,
    object: json(self.executable),
  };
}

function journalText(record: JournalRecord): string {
  switch (record.action) {
    case 'journal.start':
      return startText(record);
    case 'journal.loss':
      return lossText(record.loss);
    case 'journal.checkpoint':
      return checkpointText(record.checkpoint);
    case 'journal.stop':
      return stopText(record);
  }
}
