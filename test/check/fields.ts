import type { CheckedRecord, Json, JsonObject, Report } from './finding.ts';
import { isUuid, isUuid5 } from './uuid.ts';

/*
 * Names, types and presence of all fields, written from the format and not from record/fields: see
 * check.ts.
 */

type Type = (value: Json) => boolean;

const text: Type = (value) => typeof value === 'string' && value !== '';
const integer: Type = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const flag: Type = (value) => value === true;
const matching =
  (pattern: RegExp): Type =>
  (value) =>
    typeof value === 'string' && pattern.test(value);
const decimal = matching(/^(0|[1-9]\d*)$/);
const time = matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
const uuid: Type = (value) => typeof value === 'string' && isUuid(value);
const uuid5: Type = (value) => typeof value === 'string' && isUuid5(value);
const oneOf = (...values: readonly string[]) => matching(new RegExp(`^(${values.join('|')})$`));
const capabilities = matching(/^[0-9a-f]{16}$/);
/** SHA-256 in base64. */
const hash = matching(/^[A-Za-z0-9+/]{43}=$/);
const listOf =
  (type: Type): Type =>
  (value) =>
    Array.isArray(value) && value.every(type);
/** An argument may be empty. */
const anyText: Type = (value) => typeof value === 'string';

/** The reasons of a gap. */
export const GAP_REASONS = ['predates_hook', 'lost', 'untracked'];
const STAGES = 'ring_buffer|quiet|decode|journal|upgrade|reboot|kernel|retention';

const IDENTIFYING: Record<string, Type> = {
  'vcml.boot.id': uuid,
  'vcml.boot_time': decimal,
  'vcml.hook.id': decimal,
  'vcml.cpu': integer,
  'vcml.seq': integer,
};

/** The attributes that every exec has. */
const ALWAYS: Record<string, Type> = {
  ...IDENTIFYING,
  'process.vpid': integer,
  'process.creation.time': time,
  'process.executable.path': text,
  'process.executable.name': text,
  'process.args_count': integer,
  'process.working_directory': text,
  'process.user.id': integer,
  'process.saved_user.id': integer,
  'process.linux.cgroup': text,
  'vcml.namespace.pid': decimal,
  'vcml.namespace.mnt': decimal,
  'vcml.namespace.net': decimal,
  'vcml.namespace.user': decimal,
  'vcml.namespace.cgroup': decimal,
  'vcml.executable.inode': decimal,
  'vcml.executable.device': matching(/^\d+:\d+$/),
  'vcml.executable.mode': matching(/^[0-7]{4}$/),
};

const EXEC: Record<string, Type> = {
  ...ALWAYS,
  'vcml.gap.reason': oneOf(...GAP_REASONS),
  'vcml.gap.ancestor.pid': integer,
  'vcml.gap.ancestor.start_time': time,
  'vcml.gap.ancestor.comm': text,
  'vcml.gap.ancestor.executable.path': text,
  'vcml.gap.lost_cause': uuid5,
  'process.command': text,
  'process.command_args': listOf(anyText),
  'process.interactive': flag,
  'vcml.process.no_new_privs': flag,
  'vcml.process.seccomp': oneOf('strict', 'filter'),
  'vcml.privilege.gained': listOf(oneOf('setuid', 'setgid')),
  'vcml.process.working_directory_truncated': flag,
  'vcml.process.args_truncated': flag,
  'vcml.process.args_size': integer,
  'vcml.process.args_redacted': integer,
  'vcml.process.effective_group.id': integer,
  'vcml.process.login_uid': integer,
  'vcml.process.session_id': integer,
  'vcml.process.tty': text,
  'vcml.process.capabilities.effective': capabilities,
  'vcml.process.capabilities.permitted': capabilities,
  'vcml.process.capabilities.inheritable': capabilities,
  'vcml.process.capabilities.bounding': capabilities,
  'vcml.process.capabilities.ambient': capabilities,
  'vcml.object.truncated': flag,
  'vcml.object.resolved': flag,
  'vcml.executable.path_truncated': flag,
  'vcml.executable.memfd': flag,
  'vcml.executable.upper_layer': flag,
  'vcml.executable.setuid': flag,
  'vcml.executable.unlinked': flag,
  'vcml.trace.trace_id': matching(/^(?!0+$)[0-9a-f]{32}$/),
  'vcml.trace.span_id': matching(/^(?!0+$)[0-9a-f]{16}$/),
  'vcml.trace.flags': (value) => integer(value) && (value as number) < 256,
  'vcml.process.environment_truncated': flag,
  'vcml.unit': matching(/.\.(service|scope)$/),
  'vcml.entry': oneOf('start', 'exec', 'session'),
  'vcml.authority.type': oneOf('pod', 'exec_request', 'probe', 'lifecycle', 'unit', 'login'),
  'vcml.authority.id': text,
  'vcml.authority.source': text,
  'vcml.authority.controller': listOf(text),
  'vcml.authority.service_account': text,
  'vcml.authority.matched': flag,
  'vcml.authority.remote': text,
  'vcml.authority.claimed': flag,
  'vcml.metadata.state': oneOf('complete', 'partial'),
};

/** A configured variable of the environment. */
const VARIABLE = /^process\.environment_variable\.[A-Za-z_][A-Za-z0-9_]*$/;

const BOOT: Record<string, Type> = { 'vcml.boot.id': uuid, 'vcml.boot_time': decimal };

/** The attributes that a journal record must have and may have, by action. */
const JOURNAL: Record<string, { must: Record<string, Type>; may?: Record<string, Type> }> = {
  'journal.start': {
    must: {
      ...BOOT,
      'vcml.agent.version': text,
      'vcml.format.version': (value) => ['1', 1, 2].includes(value as string | number),
      'vcml.hook.id': decimal,
      'vcml.hook.state': oneOf('attached', 'resumed', 'upgraded'),
      'vcml.hook.next_seq': listOf(integer),
    },
  },
  'journal.loss': {
    must: { ...BOOT, 'vcml.loss.stage': matching(new RegExp(`^(${STAGES})$`)) },
    may: {
      'vcml.hook.id': decimal,
      'vcml.loss.hook_id': decimal,
      'vcml.loss.cpu': integer,
      'vcml.loss.first_seq': integer,
      'vcml.loss.last_seq': integer,
      'vcml.loss.count': integer,
      'vcml.loss.boot_id': uuid,
      'vcml.loss.next_seq': listOf(integer),
      'vcml.loss.since': decimal,
    },
  },
  'journal.checkpoint': {
    must: {
      ...BOOT,
      'vcml.hook.id': decimal,
      'vcml.checkpoint.epoch': uuid,
      'vcml.checkpoint.size': integer,
      'vcml.checkpoint.root': hash,
      'vcml.checkpoint.bytes': integer,
      'vcml.checkpoint.leaf': hash,
      'vcml.checkpoint.hook_id': decimal,
      'vcml.checkpoint.next_seq': listOf(integer),
    },
    may: {
      'vcml.checkpoint.reason': oneOf('new', 'upgraded', 'damaged', 'truncated'),
      'vcml.checkpoint.previous_epoch': uuid,
      'vcml.checkpoint.previous_size': integer,
      'vcml.checkpoint.previous_root': hash,
      'vcml.checkpoint.previous_line': hash,
      'vcml.checkpoint.frontier': listOf(hash),
      'vcml.checkpoint.unverified_segments': integer,
      'vcml.checkpoint.complete_until': decimal,
      'vcml.checkpoint.note': text,
    },
  },
  'journal.stop': {
    must: {
      ...BOOT,
      'vcml.hook.state': oneOf('kept', 'detached'),
      'vcml.journal.records': integer,
      'vcml.journal.gaps': integer,
      'vcml.journal.losses': integer,
    },
    may: { 'vcml.hook.id': decimal },
  },
};

const HOST = ['host.name', 'host.id', 'os.type', 'k8s.node.name', 'k8s.cluster.name'];
const RESOURCE = new Map<string, Type>([
  ...[
    ...HOST,
    'container.id',
    'container.name',
    'container.image.name',
    'container.image.id',
    'container.runtime.name',
    'k8s.namespace.name',
    'k8s.pod.name',
    'k8s.pod.uid',
    'k8s.pod.start_time',
    'k8s.container.name',
    'service.name',
    'service.namespace',
    'service.version',
    'service.instance.id',
  ].map((key): [string, Type] => [key, text]),
  ['container.image.tags', listOf(text)],
  ['vcml.container.type', oneOf('sandbox', 'init', 'sidecar', 'ephemeral', 'regular')],
  ['k8s.container.restart_count', integer],
]);
const RESOURCE_PATTERN =
  /^k8s\.((deployment|replicaset|statefulset|daemonset|job|cronjob)\.(name|uid)|pod\.(label|annotation)\..+)$/;

/** Checks names, types and presence of everything in `attributes` and `resource`. */
export function checkFields(
  record: CheckedRecord,
  alsoInResource: ReadonlySet<string>,
  report: Report,
): void {
  if (record.action === 'exec') {
    checkNames(record.attributes, EXEC, report);
    checkPresent(record.attributes, ALWAYS, report);
    for (const key of ['host.name', 'os.type']) {
      if (!(key in record.resource)) report('missing', `no ${key}`);
    }
  } else {
    const declared = JOURNAL[record.action];
    if (declared === undefined) {
      report('action', `unknown action ${JSON.stringify(record.action)}`);
      return;
    }
    checkNames(record.attributes, { ...declared.must, ...declared.may }, report);
    checkPresent(record.attributes, declared.must, report);
  }
  checkResource(record.resource, alsoInResource, report);
}

function checkNames(object: JsonObject, types: Record<string, Type>, report: Report): void {
  for (const [key, value] of Object.entries(object)) {
    const named = types === EXEC && VARIABLE.test(key) ? text : undefined;
    const type = Object.hasOwn(types, key) ? types[key] : named;
    if (type === undefined) report('field', `unknown attribute ${JSON.stringify(key)}`);
    else if (value === undefined || !type(value)) report('type', `${key} is ${show(value)}`);
  }
}

function checkPresent(object: JsonObject, types: Record<string, Type>, report: Report): void {
  for (const key in types) if (!(key in object)) report('missing', `no ${key}`);
}

function checkResource(resource: JsonObject, also: ReadonlySet<string>, report: Report): void {
  for (const [key, value] of Object.entries(resource)) {
    const type = RESOURCE.get(key) ?? (RESOURCE_PATTERN.test(key) ? text : undefined);
    if (type === undefined && !also.has(key)) {
      report('field', `unknown resource attribute ${JSON.stringify(key)}`);
    } else if (value === undefined || !(type ?? anyText)(value)) {
      report('type', `${key} is ${show(value)}`);
    }
  }
}

function show(value: Json | undefined): string {
  return JSON.stringify(value)?.slice(0, 100) ?? 'undefined';
}
