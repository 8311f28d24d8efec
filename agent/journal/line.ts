import {
  type CausalRecord,
  type ExecContext,
  type ExecRecord,
  type Executable,
  type Gap,
  type Image,
  type JournalRecord,
  nanosecondsOf,
  type WallOffset,
} from '../record.ts';
import { json, jsonStrings } from './json.ts';
import { rfc3339, wall } from './time.ts';

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
}

const KEPT_MAX = 4096;

/** Records to lines of JSON, each ended by a line feed: docs/record.md, field by field. */
export interface LineWriter {
  line(record: CausalRecord, place: Place): string;
}

/** Everything that does not change from record to record is rendered once and kept. */
export function createLineWriter(options: LineOptions): LineWriter {
  const images = new Map<Image, ImageText>();
  const bootId = `"attributes":{"vcml.boot.id":${json(options.bootId)},"vcml.boot_time":"`;
  const hookId = `","vcml.hook.id":${json(options.hookId)}`;
  const self = selfText(options.self);

  function exec(record: ExecRecord, place: Place): string {
    const { event } = record;
    const offset = options.offset();
    const cause = record.parentCause;
    const image = imageOf(event.image);
    return (
      `{"id":"${record.id}","timestamp":${wall(event.bootTime, offset)},` +
      `"actor":{"pid":${event.pid},"ppid":${event.ppid}${image.core}` +
      (cause === null
        ? '"unobserved_parent","parent_cause":null,"resource":'
        : `"parent_process_context","parent_cause":"${cause}","resource":`) +
      `${place.resource},${bootId}${nanosecondsOf(event.bootTime)}${hookId},` +
      `"vcml.cpu":${event.cpu},"vcml.seq":${event.seq}` +
      (record.gap === undefined ? '' : gapText(record.gap, offset)) +
      `,"process.vpid":${event.vpid}` +
      `,"process.creation.time":"${rfc3339(event.startTime, offset)}"${image.attributes}` +
      (place.cgroup === undefined ? '}}\n' : `,"process.linux.cgroup":${json(place.cgroup)}}}\n`)
    );
  }

  function imageOf(image: Image): ImageText {
    const known = images.get(image);
    if (known !== undefined) return known;
    const text = imageText(image);
    if (!image.recurring) return text;
    if (images.size >= KEPT_MAX) images.clear();
    images.set(image, text);
    return text;
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
    line: (record, place) =>
      record.action === 'exec' ? exec(record, place) : journal(record, place),
  };
}

/** The parts of a line that are the same for every exec of an image. */
interface ImageText {
  /** from `uid` to the value of `permitted_by` */
  readonly core: string;
  readonly attributes: string;
}

function imageText(image: Image): ImageText {
  const { context } = image;
  return {
    core:
      `,"uid":${context.uid},"gid":${context.gid},"comm":${json(image.comm)}},"action":"exec",` +
      `"object":${json(image.object)},"permitted_by":`,
    attributes:
      executableText(image.executable) +
      argsText(image) +
      `,"process.working_directory":${json(image.workingDirectory)}` +
      (image.interactive ? ',"process.interactive":true' : '') +
      (image.workingDirectoryTruncated ? ',"vcml.process.working_directory_truncated":true' : '') +
      (image.objectTruncated ? ',"vcml.object.truncated":true' : '') +
      (image.objectResolved ? ',"vcml.object.resolved":true' : '') +
      contextText(context),
  };
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

function argsText(image: Image): string {
  const [command] = image.args;
  return (
    `,"process.args_count":${image.argsCount}` +
    (command ? `,"process.command":${json(command)}` : '') +
    `,"process.command_args":${jsonStrings(image.args)}` +
    (image.argsTruncated
      ? `,"vcml.process.args_truncated":true,"vcml.process.args_size":${image.argsSize}`
      : '')
  );
}

function executableText(executable: Executable): string {
  const name = executable.path.slice(executable.path.lastIndexOf('/') + 1);
  return (
    `,"process.executable.path":${json(executable.path)}` +
    `,"process.executable.name":${json(name === '' ? executable.path : name)}` +
    `,"vcml.executable.inode":"${executable.inode}","vcml.executable.device":"${executable.device}"` +
    `,"vcml.executable.mode":"${executable.mode}"` +
    (executable.pathTruncated ? ',"vcml.executable.path_truncated":true' : '') +
    (executable.memfd ? ',"vcml.executable.memfd":true' : '') +
    (executable.upperLayer ? ',"vcml.executable.upper_layer":true' : '') +
    (executable.setuid ? ',"vcml.executable.setuid":true' : '') +
    (executable.unlinked ? ',"vcml.executable.unlinked":true' : '')
  );
}

function contextText(context: ExecContext): string {
  const { namespaces } = context;
  return (
    `,"process.user.id":${context.euid},"process.saved_user.id":${context.suid}` +
    `,"vcml.process.effective_group.id":${context.egid}` +
    (context.loginUid === undefined ? '' : `,"vcml.process.login_uid":${context.loginUid}`) +
    `,"vcml.process.session_id":${context.sessionId}` +
    (context.tty === undefined ? '' : `,"vcml.process.tty":${json(context.tty)}`) +
    `,"vcml.process.capabilities.effective":"${context.capabilities}"` +
    `,"vcml.namespace.pid":"${namespaces.pid}","vcml.namespace.mnt":"${namespaces.mnt}"` +
    `,"vcml.namespace.net":"${namespaces.net}","vcml.namespace.user":"${namespaces.user}"` +
    `,"vcml.namespace.cgroup":"${namespaces.cgroup}"`
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
