import { decodeEscapes, isWellEscaped } from './escapes.ts';
import type { CheckedRecord, JsonObject, Report } from './finding.ts';

/** Times that were rounded separately may differ by this much. */
const SLACK_NS = 2_000_000n;

/** Checks one exec for contradictions in strings, arguments, paths, permission and gap. */
export function checkExec(record: CheckedRecord, report: Report): void {
  checkEscapes(record, report);
  checkArguments(record.attributes, report);
  checkObject(record, report);
  checkExecutable(record.attributes, report);
  checkPermission(record, report);
  checkGap(record, report);
  checkContainer(record, report);
  checkAuthority(record, report);
  checkPrivilege(record, report);
  checkEnvironment(record.attributes, report);
  const created = unixNanos(record.attributes['process.creation.time']);
  if (created !== undefined && created > record.timestamp + SLACK_NS) {
    report('creation', 'the process began after its exec');
  }
}

const KERNEL_STRINGS = [
  'process.executable.path',
  'process.executable.name',
  'process.command',
  'process.working_directory',
  'process.linux.cgroup',
  'vcml.gap.ancestor.comm',
  'vcml.gap.ancestor.executable.path',
];

function checkEscapes({ object, actor, attributes }: CheckedRecord, report: Report): void {
  const check = (name: string, value: unknown) => {
    if (typeof value === 'string' && !isWellEscaped(value)) {
      report('escape', `${name}: ${JSON.stringify(value).slice(0, 200)}`);
    }
  };
  check('object', object);
  check('actor.comm', actor.comm);
  for (const key of KERNEL_STRINGS) check(key, attributes[key]);
  const args = attributes['process.command_args'];
  if (Array.isArray(args)) for (const arg of args) check('process.command_args', arg);
  const comm = decodeEscapes(String(actor.comm));
  if (comm !== undefined && comm.length > 15) report('comm', 'longer than 15 bytes');
}

function checkArguments(attributes: JsonObject, report: Report): void {
  const args = attributes['process.command_args'];
  const count = attributes['process.args_count'];
  const truncated = attributes['vcml.process.args_truncated'] === true;
  if (truncated && !('vcml.process.args_size' in attributes)) {
    report('arguments', 'truncated, and no vcml.process.args_size');
  }
  if (!Array.isArray(args) || typeof count !== 'number') return;
  if (truncated ? args.length > count : args.length !== count) {
    report('arguments', `${args.length} arguments, process.args_count is ${count}`);
  }
  if (args[0] !== undefined && args[0] !== '' && !('process.command' in attributes)) {
    report('arguments', 'arguments, and no process.command');
  }
}

function checkObject({ object, attributes }: CheckedRecord, report: Report): void {
  if (attributes['vcml.object.truncated'] === true) return;
  if (!/^(\(unreachable\))?\//.test(object)) report('path', `object is not absolute: ${object}`);
  if (/\/\.?(\/|$)/.test(object)) report('path', `object has an empty part or a dot: ${object}`);
}

function checkExecutable(attributes: JsonObject, report: Report): void {
  const path = attributes['process.executable.path'];
  const name = attributes['process.executable.name'];
  if (typeof path !== 'string' || typeof name !== 'string') return;
  if (attributes['vcml.executable.path_truncated'] === true) return;
  if (!/^(\(unreachable\))?\//.test(path)) report('path', `executable is not absolute: ${path}`);
  if (!path.endsWith(`/${name}`)) report('path', `${name} is not the last part of ${path}`);
}

function checkPermission(record: CheckedRecord, report: Report): void {
  const right = record.parentCause === null ? 'unobserved_parent' : 'parent_process_context';
  if (record.permittedBy !== undefined && record.permittedBy !== right) {
    report('permitted_by', `${record.permittedBy} instead of ${right}`);
  }
}

function checkGap({ parentCause, attributes, ...record }: CheckedRecord, report: Report): void {
  const reason = attributes['vcml.gap.reason'];
  if ((parentCause === null) !== (reason !== undefined)) {
    report('gap', parentCause === null ? 'no vcml.gap.reason' : 'a gap with a parent_cause');
  }
  const ancestor = Object.keys(attributes).filter((key) => key.startsWith('vcml.gap.ancestor.'));
  if (reason === 'predates_hook') {
    if (!ancestor.includes('vcml.gap.ancestor.pid')) report('gap', 'no pid of the ancestor');
    const start = unixNanos(attributes['vcml.gap.ancestor.start_time']);
    const hook = attributes['vcml.hook.id'];
    if (start === undefined) report('gap', 'no start_time of the ancestor');
    else if (typeof hook === 'string' && /^\d+$/.test(hook)) {
      const armed = BigInt(hook) + record.timestamp - record.bootTime;
      if (start > armed + SLACK_NS) report('gap', 'the ancestor began after the hook was armed');
    }
  } else if (ancestor.length > 0) report('gap', `${ancestor[0]} without predates_hook`);
  if ((reason === 'lost') !== 'vcml.gap.lost_cause' in attributes) {
    report('gap', 'vcml.gap.lost_cause belongs to lost and to nothing else');
  }
}

function checkContainer({ resource, attributes }: CheckedRecord, report: Report): void {
  const isInside = 'container.id' in resource;
  if ('vcml.unit' in attributes && isInside) report('container', 'vcml.unit in a container');
  if ('vcml.entry' in attributes && !isInside && !('vcml.unit' in attributes))
    report('container', 'vcml.entry outside of containers and units');
  if (attributes['vcml.entry'] === 'session' && isInside)
    report('container', 'a session in a container');
  const state = 'vcml.metadata.state' in attributes;
  if (state !== ('container.id' in resource && 'k8s.pod.uid' in resource)) {
    report('container', "vcml.metadata.state belongs on records of pods' containers alone");
  }
}

/** The entries that an authority can be on, and the attribute that its id is, if it is one. */
const AUTHORITIES: Readonly<Record<string, readonly [entry: RegExp, id?: string]>> = {
  pod: [/^start$/, 'k8s.pod.uid'],
  exec_request: [/^exec$/],
  probe: [/^exec$/],
  lifecycle: [/^exec$/],
  unit: [/^(start|exec|session)$/, 'vcml.unit'],
  login: [/^session$/, 'vcml.process.login_uid'],
};

function checkAuthority({ resource, attributes }: CheckedRecord, report: Report): void {
  const keys = Object.keys(attributes).filter((key) => key.startsWith('vcml.authority.'));
  if (keys.length === 0) return;
  const { 'vcml.authority.type': type, 'vcml.authority.id': id } = attributes;
  const [entry, source] = AUTHORITIES[`${type}`] ?? [];
  if (!entry?.test(`${attributes['vcml.entry'] ?? ''}`))
    report('authority', `${type} on another exec than such an entry`);
  if (id === undefined) report('authority', 'no id');
  if (source !== undefined && `${{ ...resource, ...attributes }[source]}` !== `${id}`)
    report('authority', `the id of ${type} is not ${source}`);
  const isOfHost = type === 'unit' || type === 'login';
  if (isOfHost === 'container.id' in resource) report('authority', `${type} in a wrong place`);
  const isMatched = attributes['vcml.authority.matched'] === true;
  if (isMatched !== (type === 'probe' || type === 'lifecycle'))
    report('authority', 'matched belongs to commands alone');
  if ('vcml.authority.remote' in attributes !== 'vcml.authority.claimed' in attributes)
    report('authority', 'a remote is claimed');
}

function checkPrivilege({ actor, attributes }: CheckedRecord, report: Report): void {
  checkCapabilities(attributes, report);
  const gained = attributes['vcml.privilege.gained'];
  if (!Array.isArray(gained)) return;
  const mode = Number.parseInt(`${attributes['vcml.executable.mode']}`, 8);
  if (gained.length === 0 || new Set(gained).size < gained.length)
    report('privilege', 'nothing gained, or the same twice');
  const { 'process.user.id': euid, 'vcml.process.effective_group.id': egid } = attributes;
  if (gained.includes('setuid') && ((mode & 0o4000) === 0 || euid === actor.uid))
    report('privilege', 'a user that the file does not give');
  if (gained.includes('setgid') && ((mode & 0o2010) !== 0o2010 || egid === actor.gid))
    report('privilege', 'a group that the file does not give');
  if (attributes['vcml.process.no_new_privs'] === true)
    report('privilege', 'gained in spite of no_new_privs');
}

const NONE = '0'.repeat(16);

function checkCapabilities(attributes: JsonObject, report: Report): void {
  const set = (name: string) => attributes[`vcml.process.capabilities.${name}`];
  const effective = set('effective');
  for (const name of ['inheritable', 'ambient'])
    if (set(name) === NONE) report('capabilities', `${name} is empty`);
  if (effective === undefined) return;
  if (set('permitted') === effective) report('capabilities', 'permitted is the effective set');
  if (set('bounding') === effective && effective !== NONE)
    report('capabilities', 'bounding is the effective set');
}

function checkEnvironment(attributes: JsonObject, report: Report): void {
  const ids = ['trace_id', 'span_id', 'flags'].filter((key) => `vcml.trace.${key}` in attributes);
  if (ids.length > 0 && ids.length < 3) report('trace', `only ${ids.join(' and ')}`);
  const names = Object.keys(attributes).filter((key) => /^process\.environment_v/.test(key));
  if (names.join() !== names.toSorted().join()) report('environment', 'variables in another order');
}

/** Returns the Unix nanoseconds of an RFC 3339 time with nine digits of a second. */
function unixNanos(time: unknown): bigint | undefined {
  const match = typeof time === 'string' && /^(.+)\.(\d{9})Z$/.exec(time);
  if (!match) return undefined;
  const milliseconds = Date.parse(`${match[1]}Z`);
  if (Number.isNaN(milliseconds)) return undefined;
  return BigInt(milliseconds) * 1_000_000n + BigInt(match[2] ?? 0);
}
