import { hostname } from 'node:os';
import * as z from 'zod';
import { checkRedaction, type RedactOptions } from '../../redact/redactor.ts';
import { Refusal } from '../../redact/refusal.ts';
import { AgentError } from '../errors.ts';
import { exportOptions } from './export.ts';
import {
  choice,
  duration,
  folder,
  integer,
  list,
  listenAddress,
  name,
  optionalFile,
  size,
  variables,
} from './kinds.ts';
import { metadataOptions } from './metadata.ts';

const UNINSTALL = 'whenUninstalled';

/** Every option of the agent, declared once: the type, --help and docs/configuration.md come from here. */
export const schema = z
  .strictObject({
    journalDir: folder().prefault('/var/lib/vcml-agent/journal').describe('Folder of the journal.'),
    print: choice(['text', 'jsonl', 'none'])
      .prefault(() => (process.stdout.isTTY ? 'text' : 'none'))
      .meta({ default: 'text on a terminal, else none' })
      .describe(
        'What to print to stdout for each record: a readable line, the journal’s line, or nothing.',
      ),
    onExit: choice(['keep', 'detach', UNINSTALL])
      .prefault('keep')
      .describe(
        'What to do with the hook on exit: keep it for the next agent, detach it, or detach it only if the DaemonSet was deleted; see failure-modes.md.',
      ),
    journalOnUninstall: choice(['keep', 'delete'])
      .prefault('keep')
      .describe(
        'What to do with the journal when the DaemonSet was deleted: keep it on the node, or delete it.',
      ),
    pinDir: folder()
      .prefault('/sys/fs/bpf/vcml-agent')
      .describe('Folder of the hook’s pins; it must be in a bpffs.'),
    mountBpffs: choice(['true', 'false'])
      .prefault('true')
      .describe(
        'Mount a bpffs at `/sys/fs/bpf` if there is none; the agent never mounts one inside a container.',
      ),
    nodeName: name()
      .prefault(() => hostname())
      .meta({ default: 'the host’s name' })
      .describe('Name of the node in records.'),
    ...metadataOptions,
    waitForHook: duration('0s', '24h')
      .prefault('30s')
      .describe('How long to wait for another agent to release the hook.'),
    quietAfter: duration('1s', '24h', { orZero: true })
      .prefault('15m')
      .describe(
        'How long the hook keeps storing events while no agent reads them; 0: without limit.',
      ),
    ringSize: size('1MiB', '1GiB', true)
      .prefault('32MiB')
      .describe(
        'Size of the ring buffer between kernel and agent; a hook that is resumed keeps its size.',
      ),
    tableEntries: integer(0, 4_194_304)
      .prefault(0)
      .describe(
        'Maximum number of processes in the kernel’s table of causes; 0: as many as this machine can have.',
      ),
    argumentsMaxBytes: size('0B', '32KiB')
      .prefault('8KiB')
      .describe(
        'Maximum length of a command’s arguments; longer ones are truncated and marked in the record.',
      ),
    arguments: choice(['redacted', 'full', 'none'])
      .prefault('redacted')
      .describe(
        'How to record arguments: with `[redacted]` in place of secrets, in full, or not at all.',
      ),
    redactNames: list('names, such as `gate` or `door-code`', (word) => refusal({ names: [word] }))
      .prefault('')
      .meta({ default: 'none' })
      .describe('Additional names of options, variables and fields whose values are secrets.'),
    redactPatterns: list('patterns, such as `acme_[A-Za-z0-9]{20,}`', (word) =>
      refusal({ patterns: [word] }),
    )
      .prefault('')
      .meta({ default: 'none' })
      .describe('Additional patterns of secrets; see redaction.md.'),
    execRequestVariables: variables()
      .prefault('KUBERNETES_EXEC_AUDIT_ID SPO_EXEC_REQUEST_UID')
      .describe(
        'Environment variables that carry the id of the request behind an exec into a container; empty: none.',
      ),
    environment: variables()
      .prefault('')
      .meta({ default: 'none' })
      .describe(
        'Environment variables that are recorded of every exec, redacted as arguments are; see record.md.',
      ),
    traceContext: choice(['none', 'environment'])
      .prefault('none')
      .describe('Whether to record the trace that `TRACEPARENT` in an exec’s environment names.'),
    segmentMaxBytes: size('64KiB', '4GiB')
      .prefault('64MiB')
      .describe('Size at which a journal segment is closed and compressed.'),
    segmentMaxAge: duration('1s', '720h')
      .prefault('1h')
      .describe(
        'Age at which a journal segment is closed and compressed, counted from its first record.',
      ),
    journalMaxBytes: size('256KiB', '1024GiB')
      .prefault('2GiB')
      .describe('Maximum size of the journal on disk; above it the oldest segment is deleted.'),
    sync: choice(['interval', 'always', 'never'])
      .prefault('interval')
      .describe(
        'When to sync written records to disk; a checkpoint and the end of a segment are always synced.',
      ),
    syncInterval: duration('10ms', '1h')
      .prefault('1s')
      .describe('Time between two syncs if `sync` is `interval`.'),
    checkpointInterval: duration('1s', '5m')
      .prefault('10s')
      .describe(
        'Maximum time until a checkpoint covers a record, so that later changes show; see evidence.md.',
      ),
    checkpointKeyFile: optionalFile()
      .prefault('')
      .meta({ default: 'none' })
      .describe(
        'File with the Ed25519 private key (PKCS#8, PEM) that signs checkpoints, one for each node; see evidence.md.',
      ),
    // Node reads -1 as "not set", and zstd reads 0 so: both would mean level 3.
    compressionLevel: integer(-7, 19, [-1, 0])
      .prefault(1)
      .describe('Zstandard level for closed segments.'),
    drainInterval: duration('1ms', '10s')
      .prefault('50ms')
      .describe('Time between two reads of the ring buffer while there is traffic.'),
    ...exportOptions,
    telemetryAddress: listenAddress()
      .prefault('')
      .meta({ default: 'none' })
      .describe(
        'Address that serves `/metrics`, `/livez` and `/readyz`, such as `127.0.0.1:9469`.',
      ),
    probeAddress: listenAddress()
      .prefault('')
      .meta({ default: 'none' })
      .describe(
        'Address that serves `/livez` and `/readyz` only, such as `127.0.0.1:9470`, so that nothing at `telemetryAddress` can delay a probe.',
      ),
    logLevel: choice(['debug', 'info', 'warn', 'error'])
      .prefault('info')
      .describe('Lowest level of the log lines that the agent writes to stderr.'),
  })
  // There must be room for the open segment, for one that is being compressed in both forms, and for one to keep.
  .refine(({ journalMaxBytes, segmentMaxBytes }) => journalMaxBytes >= 4 * segmentMaxBytes, {
    path: ['journalMaxBytes'],
    error: 'must be at least four times segmentMaxBytes',
    params: { other: 'segmentMaxBytes' },
    when: ({ value }) => areAll('number', value, 'journalMaxBytes', 'segmentMaxBytes'),
  })
  .refine(
    ({ journalOnUninstall, onExit }) => journalOnUninstall === 'keep' || onExit === UNINSTALL,
    {
      path: ['journalOnUninstall'],
      error: `needs onExit to be ${UNINSTALL}`,
      params: { other: 'onExit' },
      when: ({ value }) => areAll('string', value, 'journalOnUninstall', 'onExit'),
    },
  )
  .refine(({ quietAfter, drainInterval }) => quietAfter === 0 || quietAfter >= 10 * drainInterval, {
    path: ['quietAfter'],
    error:
      'must be 0, or at least ten times drainInterval, so that the hook does not stop storing events between two reads',
    params: { other: 'drainInterval' },
    when: ({ value }) => areAll('number', value, 'quietAfter', 'drainInterval'),
  });

/** The configuration in effect: durations in milliseconds, sizes in bytes. */
export type Config = Readonly<z.output<typeof schema>>;

/** Returns what is wrong with a name or a pattern. */
function refusal(options: RedactOptions): string | undefined {
  try {
    checkRedaction(options);
    return undefined;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { what, given, reason } = error;
    return what === 'name'
      ? new AgentError('REDACTED_NAME_INVALID', { name: given }).message
      : new AgentError('REDACTED_PATTERN_INVALID', { pattern: given, reason }).message;
  }
}

/** Returns whether values can be compared, even if others are invalid. */
function areAll(type: 'number' | 'string', value: unknown, ...keys: readonly string[]): boolean {
  return keys.every((key) => typeof (value as Record<string, unknown>)[key] === type);
}
