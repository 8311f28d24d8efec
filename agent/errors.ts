/**
 * Every error that the agent can end with or report, one entry each: grep for the code. A sentence
 * says what happened and a remedy what to do; `{name}` stands for what varies.
 * Exit codes follow sysexits.h where it has one.
 */

export const EXIT = {
  checkFailed: 1,
  usage: 64,
  unsupported: 69,
  bug: 70,
  journal: 73,
  busy: 75,
  permission: 77,
  configuration: 78,
} as const;

/** What each exit code of the agent means. */
export const EXIT_MEANINGS: Readonly<Record<number, string>> = {
  0: 'stopped in an orderly way',
  [EXIT.checkFailed]: 'a check of `status --check` failed',
  [EXIT.usage]: 'bad usage: an unknown command, or an invalid flag',
  [EXIT.unsupported]: 'this kernel or machine cannot run the agent',
  [EXIT.bug]: 'a bug: report the message',
  [EXIT.journal]: 'the journal cannot be written, or cannot be read',
  [EXIT.busy]: 'another agent holds the hook or the journal, or a cat runs',
  [EXIT.permission]: 'not permitted: a capability or a mount is missing',
  [EXIT.configuration]: 'the configuration is invalid, or a pin does not fit',
};

interface Entry {
  readonly exitCode: number;
  readonly sentence: string;
  readonly remedy?: string;
  /** The operation is tried again; the agent does not end. */
  readonly isTransient?: boolean;
}

export const ERRORS = {
  // command line and configuration
  TIME_INVALID: {
    exitCode: EXIT.usage,
    sentence: '{flag} is {given}: must be {forms}',
  },
  ID_INVALID: {
    exitCode: EXIT.usage,
    sentence: '--id is {given}: must be the id of a record, or at least its first 4 characters',
  },
  CONFIGURATION_INVALID: {
    exitCode: EXIT.configuration,
    sentence: 'configuration:{problems}',
  },
  POD_NAME_MISSING: {
    exitCode: EXIT.configuration,
    sentence: 'onExit is whenUninstalled, which needs the variables POD_NAME and POD_NAMESPACE',
    remedy: 'set them from the pod’s metadata.name and metadata.namespace',
  },
  REDACTED_NAME_INVALID: {
    exitCode: EXIT.configuration,
    sentence: '"{name}" cannot be redacted by name',
    remedy:
      'a name has up to 64 letters and digits, in words separated by "-", "_" or "."; its last word has at least two characters',
  },
  REDACTED_PATTERN_INVALID: {
    exitCode: EXIT.configuration,
    sentence: 'the pattern "{pattern}" cannot be redacted safely: {reason}',
  },
  CHECKPOINT_KEY_INVALID: {
    exitCode: EXIT.configuration,
    sentence: 'checkpointKeyFile {file}: {reason}',
    remedy: 'make one with: openssl genpkey -algorithm ed25519 -out FILE',
  },

  // Kubernetes
  KUBECONFIG_MISSING: {
    exitCode: EXIT.configuration,
    sentence: 'the agent is not in a pod with a service account, and no kubeconfig is configured',
    remedy: 'set kubeconfig',
  },
  KUBECONFIG_WITHOUT_CLUSTER: {
    exitCode: EXIT.configuration,
    sentence: '{file} names no current cluster',
    remedy: 'set current-context in it',
  },
  DAEMON_SET_UNKNOWN: {
    exitCode: EXIT.configuration,
    sentence: 'cannot find the DaemonSet of the pod {namespace}/{pod}: {reason}',
  },
  DAEMON_SET_FORBIDDEN: {
    exitCode: EXIT.configuration,
    sentence: 'cannot read the DaemonSet of the pod {namespace}/{pod}: {reason}',
    remedy:
      'let the agent’s account get pods and namespaces, and get, list and watch daemonsets, in this namespace',
  },

  // export
  EXPORT_ENDPOINT_INVALID: {
    exitCode: EXIT.configuration,
    sentence:
      'export: the endpoint {given} must be http://HOST:PORT, https://HOST:PORT, HOST:PORT or unix:///PATH',
  },
  EXPORT_PROTOCOL_UNSUPPORTED: {
    exitCode: EXIT.configuration,
    sentence: '{variable} is {value}, but the agent exports over gRPC only',
    remedy: 'unset it, or set OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=grpc',
  },
  EXPORT_HEADERS_INVALID: {
    exitCode: EXIT.configuration,
    sentence: '{variable}: {reason}',
  },
  EXPORT_CREDENTIALS_INVALID: {
    exitCode: EXIT.configuration,
    sentence: 'export: {problems}',
  },
  EXPORT_RULES_INVALID: {
    exitCode: EXIT.configuration,
    sentence: '{problems}',
  },

  // the hook
  ADDON_UNLOADABLE: {
    exitCode: EXIT.unsupported,
    sentence: 'cannot load {path}: {reason}',
    remedy: 'run: make build',
  },
  HOOK_UNREAD: {
    exitCode: EXIT.configuration,
    sentence: '{count} records are unread, and there is no journal at {dir}',
    remedy: 'name a journal with --journal-dir, or give up the records with --discard',
  },
  RUN_OPTIONS_UNKNOWN: {
    exitCode: EXIT.configuration,
    sentence: '{file} does not have the options with which the hook at {pinDir} was run',
    remedy:
      'name the journal of that run with --journal-dir; or give the options of that run, and in any case --arguments; or give up the records with --discard',
  },
  RING_UNREADABLE: {
    exitCode: EXIT.bug,
    sentence: 'the ring buffer could not be read to its end',
    remedy: 'try again',
  },

  // the journal
  JOURNAL_ABSENT: {
    exitCode: EXIT.journal,
    sentence: 'there is no journal to read: {reason}',
  },
  JOURNAL_UNUSABLE: {
    exitCode: EXIT.journal,
    sentence: 'the journal {path} cannot be used: {reason}',
    remedy: 'choose another --journal-dir',
  },
  JOURNAL_NOT_PERMITTED: {
    exitCode: EXIT.journal,
    sentence: 'the journal {path} cannot be used: {reason}',
    remedy: 'run as root, or choose another --journal-dir',
  },
  JOURNAL_READ_ONLY: {
    exitCode: EXIT.journal,
    sentence: 'the journal {path} cannot be used: {reason}',
    remedy: 'the file system is read-only: mount it writable, or choose another --journal-dir',
  },
  JOURNAL_IS_LINK: {
    exitCode: EXIT.journal,
    sentence: 'the journal {path} cannot be used: it is a symbolic link to {target}',
    remedy: 'name the real folder',
  },
  JOURNAL_NOT_A_FOLDER: {
    exitCode: EXIT.journal,
    sentence: 'the journal {path} cannot be used: it is not a folder',
    remedy: 'remove it, or choose another --journal-dir',
  },
  JOURNAL_OWNED_BY_OTHER: {
    exitCode: EXIT.journal,
    sentence: 'the journal {path} cannot be used: it belongs to uid {uid}',
    remedy: 'change its owner, or choose another --journal-dir',
  },
  JOURNAL_WRITABLE_BY_OTHERS: {
    exitCode: EXIT.journal,
    sentence: 'the journal {path} cannot be used: other users may write to it',
    remedy: 'run: chmod 0700 {path}',
  },
  JOURNAL_REPLACED: {
    exitCode: EXIT.journal,
    sentence: 'the journal {path} cannot be used: it was removed, moved or replaced',
    remedy: 'start the agent again; it creates the folder',
  },
  JOURNAL_BUSY: {
    exitCode: EXIT.busy,
    sentence: 'the journal {path} is being written by process {pid}',
    remedy: 'stop that process, or choose another --journal-dir',
  },
  JOURNAL_LOCK_FAILED: {
    exitCode: EXIT.busy,
    sentence: 'the journal {path} could not be locked, because other processes are locking it too',
    remedy: 'try again',
  },
  JOURNAL_FULL: {
    exitCode: EXIT.journal,
    sentence: 'cannot write to {path} on {storage}: {reason}',
    remedy: 'free space there, or lower journalMaxBytes ({maxBytes})',
    isTransient: true,
  },
  JOURNAL_DISK_FAILED: {
    exitCode: EXIT.journal,
    sentence: 'cannot write to {path} on {storage}: {reason}',
    remedy:
      'see what the kernel reports about that disk (dmesg); if its file system cannot sync, set sync to never',
    isTransient: true,
  },
  JOURNAL_DISK_STALLED: {
    exitCode: EXIT.journal,
    sentence: 'a write to the journal has taken more than {seconds} s and is not done',
    remedy:
      'see what the kernel reports about that disk (dmesg); if its file system cannot sync, set sync to never',
    isTransient: true,
  },
  SEGMENT_IS_LINK: {
    exitCode: EXIT.journal,
    sentence: 'the journal’s file {file} cannot be used: it is a symbolic link',
    remedy: 'remove it',
  },
  SEGMENT_NOT_PLAIN: {
    exitCode: EXIT.journal,
    sentence:
      'the journal’s file {file} cannot be used: it is not a plain file, or has other links',
    remedy: 'remove it',
  },
  SEGMENT_DAMAGED: {
    exitCode: EXIT.journal,
    sentence: 'the journal’s file {file} is damaged: {reason}',
    remedy: 'move it to another folder',
  },
  DELETIONS_DAMAGED: {
    exitCode: EXIT.journal,
    sentence: 'the journal’s file {file} is damaged',
    remedy: 'remove it; the deletions noted in it will not be recorded as losses',
  },
} as const satisfies Readonly<Record<string, Entry>>;

/** Errors of native/, which writes their messages itself, with the details. */
export const NATIVE_ERRORS = {
  KERNEL_UNSUPPORTED: {
    exitCode: EXIT.unsupported,
    sentence: 'this kernel cannot load the BPF programs',
    remedy: 'use a kernel from 5.10 on that is built with BTF',
  },
  HOOK_PERMISSION: {
    exitCode: EXIT.permission,
    sentence: 'not permitted to load or attach BPF programs',
    remedy: 'run as root, with the capabilities that the message names',
  },
  HOOK_BPFFS: {
    exitCode: EXIT.permission,
    sentence: 'no bpffs is mounted, or it cannot be written',
    remedy: 'mount one on the host, with the command in the message',
  },
  HOOK_BUSY: {
    exitCode: EXIT.busy,
    sentence: 'another agent holds the hook',
    remedy: 'stop that agent; there is one agent for each kernel',
  },
  HOOK_ABSENT: {
    exitCode: EXIT.configuration,
    sentence: 'no working hook is pinned',
    remedy: 'check --pin-dir; detach --discard removes an incomplete hook',
  },
  HOOK_PINS_FOREIGN: {
    exitCode: EXIT.configuration,
    sentence: 'the folder of pins holds something that is not of this agent',
    remedy: 'remove it, or choose another --pin-dir',
  },
  HOOK_PINS_UNSAFE: {
    exitCode: EXIT.configuration,
    sentence:
      'others than root own the folder of pins, a pin, or a folder above it in the bpffs, or can write to it',
    remedy: 'remove what the message names, and mount the bpffs with the command in it',
  },
  HOOK_PINS_INCOMPATIBLE: {
    exitCode: EXIT.configuration,
    sentence: 'a pin has a layout that this agent does not know',
    remedy: 'run the agent that made it, or remove it with: vcml-agent detach --discard',
  },
  HOOK_SYSTEM: {
    exitCode: EXIT.bug,
    sentence: 'a system call failed unexpectedly',
    remedy: 'report the message',
  },
} as const satisfies Readonly<Record<string, Entry>>;

export type ErrorCode = keyof typeof ERRORS;

type Names<Text> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Names<Rest>
  : never;
type TextOf<Of> = Of extends { readonly sentence: infer Sentence }
  ? Sentence | (Of extends { readonly remedy: infer Remedy } ? Remedy : never)
  : never;

/** The values of the placeholders in an error's sentence and remedy, by name. */
export type ErrorValues<Code extends ErrorCode> = Readonly<
  Record<Names<TextOf<(typeof ERRORS)[Code]>>, string | number>
>;

/** An error of the registry; its message is the sentence and, behind a semicolon, the remedy. */
export class AgentError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'AgentError';
  readonly code: Code;

  constructor(code: Code, values: ErrorValues<Code>, options?: ErrorOptions) {
    const { sentence, remedy }: Entry = ERRORS[code];
    const text = remedy === undefined ? sentence : `${sentence}; ${remedy}`;
    super(filled(text, values), options);
    this.code = code;
  }

  get exitCode(): number {
    return ERRORS[this.code].exitCode;
  }

  /** The operation is tried again; the agent does not end. */
  get isTransient(): boolean {
    const { isTransient = false }: Entry = ERRORS[this.code];
    return isTransient;
  }
}

function filled(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replaceAll(/\{(\w+)\}/g, (_, name: string) => `${values[name]}`);
}

const ALL: Readonly<Record<string, Entry>> = { ...ERRORS, ...NATIVE_ERRORS };

/** Returns the exit code for a thrown value: the registry's, or 70 for an unexpected one. */
export function exitCodeOf(error: unknown): number {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && Object.hasOwn(ALL, code)
    ? (ALL[code] as Entry).exitCode
    : EXIT.bug;
}
