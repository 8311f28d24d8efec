import type { Code } from '../../../../forensics/audit/codes.ts';
import { type Draft, exec, execId, HOOK, start, time } from '../../../check/craft.ts';
import { type Case, type Change, changed, pod } from '../../../forensics/craft.ts';

const MS = 1_000_000n;
const HOUR = 3_600_000n * MS;

/** Returns a cause after 10 ms and its effect after 20 ms, whose processes began at these times. */
function created(first: bigint, second: bigint): Change {
  const at = 10_000_000;
  const when = (after: bigint) => ({ 'process.creation.time': time(HOOK + after) });
  return () => [
    start([1]),
    exec(at, 100, 0, 1, when(first)),
    exec(2 * at, 101, 0, 2, { ...when(second), parent: execId(at, 100) }),
  ];
}

/** Returns execs with wall clocks that are off by so many nanoseconds. */
function clock(...offs: readonly bigint[]): Change {
  return () => [
    start([1]),
    ...offs.map((off, n) => {
      const record = exec(10 * n + 10, 100 + n, 0, n + 1);
      record.timestamp = BigInt(String(record.timestamp)) + off;
      record.attributes['process.creation.time'] = time(HOOK + off);
      return record;
    }),
  ];
}

/** Returns an exec that happened so many nanoseconds later. */
function later(record: Draft | undefined, after: bigint): Draft | undefined {
  if (record === undefined) return undefined;
  const at = Number(BigInt(String(record.attributes['vcml.boot_time'])) - HOOK + after);
  const { actor, attributes } = record;
  return exec(
    at,
    Number(actor.pid),
    Number(attributes['vcml.cpu']),
    Number(attributes['vcml.seq']),
  );
}

/** Returns execs in a container, with changes of their resources. */
function named(...changes: readonly Record<string, string | undefined>[]): Change {
  const names = {
    'k8s.namespace.name': 'shop',
    'k8s.pod.name': 'cart',
    'k8s.container.name': 'app',
  };
  return () => [
    start([1]),
    ...changes.map((change, n) => {
      const record = exec(10 * n + 10, 100 + n, 0, n + 1, { 'vcml.metadata.state': 'partial' });
      Object.assign(record.resource, pod, names, change);
      return record;
    }),
  ];
}

/** The cases of attributes, times and names. */
export const CONTENT_CASES = {
  FIELD_MISSING: {
    wrong: [
      changed((r) => {
        delete r.later.attributes['process.executable.path'];
      }),
      changed((r) => {
        r.later.attributes['process.vpid'] = 'many';
      }),
      changed((r) => {
        delete r.later.resource['host.name'];
      }),
    ],
    right: [
      changed((r) => {
        delete r.later.attributes['process.linux.cgroup'];
        delete r.later.attributes['process.command'];
      }),
    ],
  },
  FIELD_VALUE: {
    wrong: [
      changed((r) => {
        r.start.attributes['vcml.hook.state'] = 'loose';
      }),
      changed((r) => {
        r.later.timestamp = 1_764_000_001n;
        r.later.attributes['process.creation.time'] = '1970-01-01T00:00:01.764000000Z';
      }),
      changed((r) => {
        r.later.resource = { ...r.later.resource, ...pod };
        r.later.attributes['vcml.metadata.state'] = 'half';
      }),
    ],
    right: [
      changed((r) => {
        r.later.resource = { ...r.later.resource, ...pod };
        r.later.attributes['vcml.metadata.state'] = 'partial';
      }),
      // a machine whose clock was never set
      changed((r) => {
        for (const record of Object.values(r)) {
          record.timestamp = BigInt(String(record.attributes['vcml.boot_time']));
          if ('process.creation.time' in record.attributes)
            record.attributes['process.creation.time'] = '1970-01-01T00:00:00.000000000Z';
        }
      }),
    ],
  },
  ARGUMENTS: {
    wrong: [
      changed((r) => {
        r.later.attributes['process.args_count'] = 3;
      }),
    ],
    right: [
      changed((r) => {
        r.later.attributes['process.args_count'] = 3;
        r.later.attributes['vcml.process.args_truncated'] = true;
      }),
      changed((r) => {
        delete r.later.attributes['process.command_args'];
      }),
    ],
  },
  CREATED_LATER: {
    wrong: [
      changed((r) => {
        r.later.attributes['process.creation.time'] = time(HOOK + 50_000_000n);
      }),
    ],
    right: [
      changed((r) => {
        r.later.attributes['process.creation.time'] = time(HOOK + 60n);
      }),
    ],
  },
  CONTAINER: {
    wrong: [
      changed((r) => {
        r.later.attributes['vcml.entry'] = 'exec';
      }),
      changed((r) => {
        r.later.resource = { ...r.later.resource, ...pod };
      }),
      changed((r) => {
        r.later.attributes['vcml.metadata.state'] = 'complete';
      }),
      changed((r) => {
        r.later.attributes['vcml.entry'] = 'session';
      }),
      changed((r) => {
        r.later.resource = { ...r.later.resource, 'container.id': 'c1' };
        r.later.attributes['vcml.unit'] = 'ssh.service';
      }),
    ],
    right: [
      changed((r) => {
        r.later.resource = { ...r.later.resource, ...pod };
        r.later.attributes['vcml.entry'] = 'exec';
        r.later.attributes['vcml.metadata.state'] = 'complete';
      }),
      changed((r) => {
        r.later.resource = { ...r.later.resource, 'container.id': 'c1' };
        r.later.attributes['vcml.entry'] = 'start';
      }),
      ...['start', 'exec', 'session'].map((entry) =>
        changed((r) => {
          r.later.attributes['vcml.unit'] = 'session-3.scope';
          r.later.attributes['vcml.entry'] = entry;
        }),
      ),
      changed((r) => {
        r.later.attributes['vcml.unit'] = 'ssh.service';
      }),
    ],
  },
  CREATED_EARLIER: {
    wrong: [created(MS, 5n * MS)],
    right: [
      created(MS, 10n * MS + 1n),
      // The process executes a second time.
      created(MS, MS),
    ],
  },
  CLOCK: {
    wrong: [clock(0n, HOUR, 0n), clock(0n, HOUR, HOUR, -HOUR, HOUR), clock(-HOUR, 0n, -HOUR)],
    right: [
      // The clock was set once, or there and back.
      clock(0n, HOUR, HOUR),
      clock(0n, HOUR, 1n),
      clock(0n, HOUR, ...Array(3).fill(HOUR), 7n),
      // It is back at the same nanosecond later than anybody would set it back.
      (r) => {
        const [begin, one, two, three] = clock(0n, HOUR, 0n)(r) as Draft[];
        return [begin, one, two, later(three, 3_000_000_000n)].filter((line) => line !== undefined);
      },
      // another run of the agent has measured again
      clock(0n, 90n, 0n),
      // The lines of two agents on one node are mixed.
      (r) =>
        clock(
          0n,
          0n,
          0n,
        )(r).flatMap((line, n) => {
          const other = exec(10 * n + 5, 200 + n, 0, n + 1, { 'vcml.hook.id': String(HOOK + 5n) });
          other.timestamp = BigInt(String(other.timestamp)) + HOUR;
          return [line, other];
        }),
    ],
  },
  CONTAINER_NAMES: {
    wrong: [
      named({}, {}, { 'k8s.pod.name': 'other' }),
      named({}, { 'k8s.container.name': 'other' }, {}),
      named({ 'k8s.namespace.name': 'other' }, {}, {}),
    ],
    right: [
      named({ 'k8s.pod.name': undefined }, {}, {}),
      named({}, {}, { 'container.id': 'c2', 'k8s.container.name': 'other' }),
      named({}, {}, { 'k8s.pod.uid': 'u2', 'k8s.pod.name': 'other' }),
    ],
  },
} satisfies Partial<Record<Code, Case>>;
