/** Rows of the Collector's exporter, as a fleet of busy nodes fills them. */

const NODES = 50;
const PODS_A_NODE = 40;
const CPUS = 8;
const COMMANDS = 60;
const BEGAN_NS = 1_795_392_000_000_000_000n;
/** A node executes so often. */
const STEP_NS = 20_000_000;
/** Since the boots. */
const UPTIME_NS = 9_600_000_000_000n;
/** The cause of most records is one of so many before it. */
const NEAR = 20;

/**
 * Returns the query of some rows. Each node has every fiftieth; times, forks, causes, CPUs and arguments
 * are as irregular as on a machine.
 */
export function generatedRows(from: number, count: number): string {
  return `SELECT fromUnixTimestamp64Nano(at, 'UTC') AS Timestamp, '' AS TraceId, '' AS SpanId,
    0 AS TraceFlags, '' AS SeverityText, 9 AS SeverityNumber, 'vcml-agent' AS ServiceName,
    concat(command, ' ', token) AS Body, '' AS ResourceSchemaUrl, ${mapOf(RESOURCE)} AS ResourceAttributes,
    '' AS ScopeSchemaUrl, 'vcml-agent' AS ScopeName, '0.2.0' AS ScopeVersion, ${mapOf({})} AS ScopeAttributes,
    ${mapOf(ATTRIBUTES)} AS LogAttributes, 'vcml.exec' AS EventName
  FROM (
    SELECT number + ${from} AS n, n % ${NODES} AS k, intDiv(n, ${NODES}) AS i,
      concat('node-', toString(k)) AS node, ${chance('time')} % ${STEP_NS} AS shift,
      toInt64(${BEGAN_NS} + i * ${STEP_NS} + shift) AS at,
      toString(at - ${BEGAN_NS - UPTIME_NS}) AS boot_time,
      toString(fromUnixTimestamp64Nano(at - 80000 - ${chance('fork')} % 900000, 'UTC')) AS forked,
      ${chance('cause')} % ${NEAR} + 1 AS back, ${chance('pid')} % 3 AS skipped,
      toUInt8(bitXor(i, sipHash64('cpu', k, intDiv(i, ${CPUS}))) % ${CPUS}) AS cpu,
      least(${chance('one')} % ${COMMANDS}, ${chance('other')} % ${COMMANDS}) AS c,
      concat('tool-', toString(c)) AS command, hex(${chance('token')} % 16777216) AS token,
      sipHash64('pod', k, intDiv(i, 10)) % ${PODS_A_NODE} AS p,
      concat(toString(k), '-', toString(p)) AS pod, c % 7 AS kind
    FROM numbers(${count}))`;
}

const HEX = 'lower(hex(sipHash128(pod)))';
const MACHINE = 'lower(hex(sipHash128(node)))';

const RESOURCE: Readonly<Record<string, string>> = {
  'container.id': `concat(${HEX}, ${HEX})`,
  'container.image.id': `concat('sha256:', lower(hex(sipHash128(p))), lower(hex(sipHash128(p))))`,
  'container.image.name': `concat('registry.example/shop/service-', toString(p))`,
  'container.image.tags': `'["1.27.3"]'`,
  'host.id': MACHINE,
  'host.name': 'node',
  'k8s.cluster.name': `'production'`,
  'k8s.cluster.uid': `'2f6d8f0a-6c1e-4d5e-9a3b-0d1f5a1c9b11'`,
  'k8s.container.name': `'app'`,
  'k8s.deployment.name': `concat('service-', toString(p))`,
  'k8s.namespace.name': `concat('team-', toString(p % 9))`,
  'k8s.node.name': 'node',
  'k8s.pod.name': `concat('service-', toString(p), '-6cd5d9699c-', substring(${HEX}, 1, 5))`,
  'k8s.pod.uid': 'toString(reinterpretAsUUID(sipHash128(pod)))',
  'k8s.replicaset.name': `concat('service-', toString(p), '-6cd5d9699c')`,
  'os.type': `'linux'`,
  'service.name': `concat('service-', toString(p))`,
};

const ATTRIBUTES: Readonly<Record<string, string>> = {
  'log.record.uid': idOf('i'),
  'process.args_count': `'4'`,
  'process.command': 'command',
  'process.command_args': `concat('["', command, '","--queue","orders-', toString(c % 13), '","/srv/data/', if(kind < 3, token, 'all'), '"]')`,
  'process.creation.time': `concat(replaceOne(forked, ' ', 'T'), 'Z')`,
  'process.executable.name': 'command',
  'process.executable.path': `concat('/usr/bin/', command)`,
  'process.linux.cgroup': `concat('0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod', ${HEX}, '.slice/cri-containerd-', ${HEX}, ${HEX}, '.scope')`,
  'process.parent_pid': 'toString(1000 + 3 * (i - back))',
  'process.pid': 'toString(1000 + 3 * i + skipped)',
  'process.real_user.id': 'toString(1000 + p)',
  'process.saved_user.id': 'toString(1000 + p)',
  'process.user.id': 'toString(1000 + p)',
  'process.vpid': 'toString(7 + intDiv(i, 40))',
  'process.working_directory': `concat('/srv/service-', toString(p))`,
  'vcml.boot.id': 'toString(reinterpretAsUUID(sipHash128(node)))',
  'vcml.boot_time': 'boot_time',
  'vcml.cpu': 'toString(cpu)',
  'vcml.executable.device': `'254:0'`,
  'vcml.executable.inode': 'toString(247000 + c)',
  'vcml.executable.mode': `'0755'`,
  'vcml.hook.id': 'toString(9597161883763 + k)',
  'vcml.metadata.state': `'complete'`,
  'vcml.namespace.cgroup': 'toString(4026532835 + p)',
  'vcml.namespace.mnt': 'toString(4026532832 + p)',
  'vcml.namespace.net': 'toString(4026532833 + p)',
  'vcml.namespace.pid': 'toString(4026532836 + p)',
  'vcml.namespace.user': `'4026531837'`,
  'vcml.object': `concat('/usr/bin/', command)`,
  'vcml.parent_cause': idOf('i - back'),
  'vcml.permitted_by': `'parent_process_context'`,
  'vcml.process.capabilities.effective': `'00000000a80425fb'`,
  'vcml.process.comm': 'command',
  'vcml.process.effective_group.id': 'toString(1000 + p)',
  'vcml.process.real_group.id': 'toString(1000 + p)',
  'vcml.process.session_id': 'toString(1000 + 3 * intDiv(i, 20) * 20)',
  'vcml.seq': `toString(intDiv(i, ${CPUS}) + 1 + 977 * cpu)`,
};

/** A number that is different in each row, and the same in each run. */
function chance(of: string): string {
  return `sipHash64('${of}', n)`;
}

/** Returns the id of a node's record. */
function idOf(i: string): string {
  return `toString(reinterpretAsUUID(sipHash128('id', k, toInt64(${i}))))`;
}

function mapOf(members: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(members).map(([key, value]) => `'${key}', ${value}`);
  return `CAST(map(${pairs.join(', ')}), 'Map(LowCardinality(String), String)')`;
}
