/** The columns of the view `records`, declared once: where each stands in a line, and its SQL type. */

type Place = 'core' | 'actor' | 'attributes';

interface Field {
  readonly column: string;
  readonly place: Place;
  readonly key: string;
  readonly type: string;
}

const TEXT = 'VARCHAR';
const INTEGER = 'BIGINT';
const FLAG = 'BOOLEAN';
const TEXTS = 'VARCHAR[]';

const core = (key: string, type = TEXT): Field => ({ column: key, place: 'core', key, type });
const actor = (key: string, type = INTEGER): Field => ({ column: key, place: 'actor', key, type });
const attribute = (column: string, key: string, type = TEXT): Field => ({
  column,
  place: 'attributes',
  key,
  type,
});

/** What is read from a line as it is. */
const FIELDS: readonly Field[] = [
  core('id'),
  core('timestamp', INTEGER),
  actor('pid'),
  actor('ppid'),
  actor('uid'),
  actor('gid'),
  actor('comm', TEXT),
  core('action'),
  core('object'),
  core('permitted_by'),
  core('parent_cause'),
  attribute('boot_id', 'vcml.boot.id'),
  attribute('boot_time', 'vcml.boot_time', INTEGER),
  attribute('hook_id', 'vcml.hook.id'),
  attribute('cpu', 'vcml.cpu', INTEGER),
  attribute('seq', 'vcml.seq', INTEGER),
  attribute('gap_reason', 'vcml.gap.reason'),
  attribute('gap_lost_cause', 'vcml.gap.lost_cause'),
  attribute('gap_ancestor_pid', 'vcml.gap.ancestor.pid', INTEGER),
  attribute('gap_ancestor_start_time', 'vcml.gap.ancestor.start_time'),
  attribute('gap_ancestor_comm', 'vcml.gap.ancestor.comm'),
  attribute('gap_ancestor_executable', 'vcml.gap.ancestor.executable.path'),
  attribute('loss_stage', 'vcml.loss.stage'),
  attribute('loss_hook_id', 'vcml.loss.hook_id'),
  attribute('loss_cpu', 'vcml.loss.cpu', INTEGER),
  attribute('loss_first_seq', 'vcml.loss.first_seq', INTEGER),
  attribute('loss_last_seq', 'vcml.loss.last_seq', INTEGER),
  attribute('loss_count', 'vcml.loss.count', INTEGER),
  attribute('loss_boot_id', 'vcml.loss.boot_id'),
  attribute('loss_next_seq', 'vcml.loss.next_seq', 'BIGINT[]'),
  attribute('agent_version', 'vcml.agent.version'),
  attribute('hook_state', 'vcml.hook.state'),
  attribute('hook_next_seq', 'vcml.hook.next_seq', 'BIGINT[]'),
  attribute('journal_records', 'vcml.journal.records', INTEGER),
  attribute('journal_gaps', 'vcml.journal.gaps', INTEGER),
  attribute('journal_losses', 'vcml.journal.losses', INTEGER),
  attribute('vpid', 'process.vpid', INTEGER),
  attribute('created', 'process.creation.time'),
  attribute('executable', 'process.executable.path'),
  attribute('executable_name', 'process.executable.name'),
  attribute('executable_inode', 'vcml.executable.inode'),
  attribute('executable_device', 'vcml.executable.device'),
  attribute('executable_mode', 'vcml.executable.mode'),
  attribute('memfd', 'vcml.executable.memfd', FLAG),
  attribute('upper_layer', 'vcml.executable.upper_layer', FLAG),
  attribute('setuid', 'vcml.executable.setuid', FLAG),
  attribute('unlinked', 'vcml.executable.unlinked', FLAG),
  attribute('args', 'process.command_args', TEXTS),
  attribute('args_count', 'process.args_count', INTEGER),
  attribute('args_truncated', 'vcml.process.args_truncated', FLAG),
  attribute('args_redacted', 'vcml.process.args_redacted', INTEGER),
  attribute('working_directory', 'process.working_directory'),
  attribute('euid', 'process.user.id', INTEGER),
  attribute('suid', 'process.saved_user.id', INTEGER),
  attribute('egid', 'vcml.process.effective_group.id', INTEGER),
  attribute('login_uid', 'vcml.process.login_uid', INTEGER),
  attribute('session_id', 'vcml.process.session_id', INTEGER),
  attribute('tty', 'vcml.process.tty'),
  attribute('interactive', 'process.interactive', FLAG),
  attribute('capabilities', 'vcml.process.capabilities.effective'),
  attribute('pid_namespace', 'vcml.namespace.pid'),
  attribute('mnt_namespace', 'vcml.namespace.mnt'),
  attribute('net_namespace', 'vcml.namespace.net'),
  attribute('user_namespace', 'vcml.namespace.user'),
  attribute('cgroup_namespace', 'vcml.namespace.cgroup'),
  attribute('cgroup', 'process.linux.cgroup'),
  attribute('entry', 'vcml.entry'),
  attribute('metadata_state', 'vcml.metadata.state'),
];

const KINDS = ['deployment', 'statefulset', 'daemonset', 'cronjob', 'job', 'replicaset'];
const owner = KINDS.map((kind) => `'${kind}/' || resource['k8s.${kind}.name']`).join(', ');

/** What is made of the fields, and of the map `resource`. */
const DERIVED: Readonly<Record<string, string>> = {
  time: 'make_timestamp_ns("timestamp")',
  host: `resource['host.name']`,
  node: `coalesce(resource['k8s.node.name'], resource['host.name'])`,
  cluster: `resource['k8s.cluster.name']`,
  namespace: `resource['k8s.namespace.name']`,
  pod: `resource['k8s.pod.name']`,
  pod_uid: `resource['k8s.pod.uid']`,
  container: `coalesce(resource['k8s.container.name'], resource['container.name'])`,
  container_id: `resource['container.id']`,
  container_type: `resource['vcml.container.type']`,
  image: `resource['container.image.name']`,
  image_tags: `resource['container.image.tags']`,
  image_id: `resource['container.image.id']`,
  owner: `coalesce(${owner})`,
  service: `resource['service.name']`,
  resource: 'resource',
};

/** Every column of `records`, without `file`, in order. */
export const COLUMNS: readonly string[] = [
  ...FIELDS.map(({ column }) => column),
  ...Object.keys(DERIVED),
];

const byColumn = new Map(FIELDS.map((field) => [field.column, field]));

/**
 * A SELECT of `file` and the columns from JSON lines, in the order of files and lines; one row for
 * every line that is not blank, with nulls where a line cannot be read. Reads no field it needs not. `types` read columns otherwise.
 */
export function scanSql(
  paths: readonly string[],
  columns: readonly string[],
  types: Readonly<Record<string, string>> = {},
): string {
  const derived = columns.filter((column) => column in DERIVED);
  const needed = new Set(columns.filter((column) => byColumn.has(column)));
  if (derived.includes('time')) needed.add('timestamp');
  const read = structure(
    FIELDS.filter(({ column }) => needed.has(column)).map((field) => ({
      ...field,
      type: types[field.column] ?? field.type,
    })),
  );
  if (derived.some((column) => column !== 'time'))
    read.push(`resource: '${types.resource ?? 'MAP(VARCHAR, VARCHAR)'}'`);
  const selected = columns.map((column) => `${expression(column, types)} AS "${column}"`);
  return (
    `SELECT ${['filename AS file', ...selected].join(', ')} FROM ` +
    `read_json([${paths.map(pathLiteral).join(', ')}], format = 'newline_delimited', ` +
    'ignore_errors = true, filename = true, maximum_object_size = 67108864, records = true, ' +
    `columns = {${read.join(', ')}})`
  );
}

function structure(fields: readonly Field[]): string[] {
  const inner = (place: Place) =>
    fields.filter((field) => field.place === place).map(({ key, type }) => `"${key}" ${type}`);
  const read = fields
    .filter(({ place }) => place === 'core')
    .map(({ key, type }) => `"${key}": '${type}'`);
  for (const place of ['actor', 'attributes'] as const) {
    const members = inner(place);
    if (members.length > 0) read.push(`${place}: 'STRUCT(${members.join(', ')})'`);
  }
  return read;
}

function expression(column: string, types: Readonly<Record<string, string>>): string {
  const field = byColumn.get(column);
  if (field === undefined) return DERIVED[column] ?? 'NULL';
  const place = field.place === 'core' ? `"${field.key}"` : `${field.place}."${field.key}"`;
  return types[column] === 'JSON' ? `${place}::VARCHAR` : place;
}

/** What stands for itself in a list of globs. */
function pathLiteral(path: string): string {
  return literal(path.replaceAll(/[*?[]/g, '[$&]'));
}

/** A string as SQL. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
