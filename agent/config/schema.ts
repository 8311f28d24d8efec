import { hostname } from 'node:os';
import * as z from 'zod';
import { createRedactor, type RedactOptions } from '../redact/redactor.ts';
import { exportOptions } from './export.ts';
import { choice, duration, folder, integer, list, listenAddress, name, size } from './kinds.ts';
import { metadataOptions } from './metadata.ts';

const UNINSTALL = 'whenUninstalled';

/** Every option of the agent, declared once: the type, --help and docs/configuration.md come from here. */
export const schema = z
  .strictObject({
    journalDir: folder()
      .prefault('/var/lib/vcml-agent/journal')
      .describe('Where the journal is kept.'),
    print: choice(['text', 'jsonl', 'none'])
      .prefault(() => (process.stdout.isTTY ? 'text' : 'none'))
      .meta({ default: 'text on a terminal, else none' })
      .describe(
        'Print each record to stdout as well: a readable line, the journal’s line, or nothing.',
      ),
    onExit: choice(['keep', 'detach', UNINSTALL])
      .prefault('keep')
      .describe(
        'At the end the hook stays for the next agent, goes, or goes if the DaemonSet is gone; see failure-modes.md.',
      ),
    journalOnUninstall: choice(['keep', 'delete'])
      .prefault('keep')
      .describe(
        'Whether the journal stays on the node, or is deleted, when the DaemonSet is seen to be gone.',
      ),
    pinDir: folder()
      .prefault('/sys/fs/bpf/vcml-agent')
      .describe('Where the hook is pinned; in a bpffs.'),
    mountBpffs: choice(['true', 'false'])
      .prefault('true')
      .describe('Mount a bpffs at /sys/fs/bpf where none is; not for the mounts of a container.'),
    nodeName: name()
      .prefault(() => hostname())
      .meta({ default: 'the host’s name' })
      .describe('The node’s name in records.'),
    ...metadataOptions,
    waitForHook: duration('0s', '24h')
      .prefault('30s')
      .describe('How long to wait for another agent to let go of the hook.'),
    quietAfter: duration('1s', '24h', { orZero: true })
      .prefault('15m')
      .describe('Without a reader for so long, the hook stores no more events; 0: never.'),
    ringSize: size('1MiB', '1GiB', true)
      .prefault('32MiB')
      .describe(
        'The ring buffer between kernel and agent; of a hook that is taken over it stays as it was.',
      ),
    tableEntries: integer(0, 4_194_304)
      .prefault(0)
      .describe('Processes in the kernel’s table of causes; 0: as many as this machine can have.'),
    argumentsMaxBytes: size('0B', '32KiB')
      .prefault('8KiB')
      .describe(
        'How much of a command’s arguments is recorded; the rest is cut, and that is said.',
      ),
    arguments: choice(['redacted', 'full', 'none'])
      .prefault('redacted')
      .describe('Record arguments with `[redacted]` for secrets, as they are, or not at all.'),
    redactNames: list('names, such as `pin` or `db-pin`', (word) => refusal({ names: [word] }))
      .prefault('')
      .meta({ default: 'none' })
      .describe('More options, variables and fields whose values are secrets.'),
    redactPatterns: list('patterns, such as `acme_[A-Za-z0-9]{20,}`', (word) =>
      refusal({ patterns: [word] }),
    )
      .prefault('')
      .meta({ default: 'none' })
      .describe('More forms of secrets; see redaction.md.'),
    segmentMaxBytes: size('64KiB', '4GiB')
      .prefault('64MiB')
      .describe('At this size a journal segment is closed and compressed.'),
    segmentMaxAge: duration('1s', '720h')
      .prefault('1h')
      .describe('So long after its first record a segment is closed, too.'),
    journalMaxBytes: size('256KiB', '1024GiB')
      .prefault('2GiB')
      .describe('The whole journal on disk; beyond it the oldest segment is deleted.'),
    sync: choice(['interval', 'always', 'never'])
      .prefault('interval')
      .describe('When written records are forced to the disk, besides at the end of each segment.'),
    syncInterval: duration('10ms', '1h')
      .prefault('1s')
      .describe('How often they are, when `sync` is `interval`.'),
    // Node takes -1 for "not set", and zstd 0: both would be level 3.
    compressionLevel: integer(-7, 19, [-1, 0])
      .prefault(1)
      .describe('The zstd level of closed segments.'),
    drainInterval: duration('1ms', '10s')
      .prefault('50ms')
      .describe('How often the ring is drained while there is traffic.'),
    ...exportOptions,
    telemetryAddress: listenAddress()
      .prefault('')
      .meta({ default: 'none' })
      .describe('Where `/metrics`, `/livez` and `/readyz` are served, such as `127.0.0.1:9469`.'),
    logLevel: choice(['debug', 'info', 'warn', 'error'])
      .prefault('info')
      .describe('How much the agent says about itself on stderr.'),
  })
  // Room for the open segment, one that is being compressed, its other form, and something to keep.
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
    error: 'must be 0, or at least ten times drainInterval, so that a reader is not taken for gone',
    params: { other: 'drainInterval' },
    when: ({ value }) => areAll('number', value, 'quietAfter', 'drainInterval'),
  });

/** The configuration in effect: durations in milliseconds, sizes in bytes. */
export type Config = Readonly<z.output<typeof schema>>;

/** What is wrong with a name or a pattern. */
function refusal(options: RedactOptions): string | undefined {
  try {
    createRedactor(options);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Two values can be compared whatever else is wrong. */
function areAll(type: 'number' | 'string', value: unknown, ...keys: readonly string[]): boolean {
  return keys.every((key) => typeof (value as Record<string, unknown>)[key] === type);
}
