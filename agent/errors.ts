/**
 * Every error that ends or disturbs the agent, one entry each: grep for the code.
 * Exit codes follow sysexits.h where it has one.
 */

export const EXIT = {
  usage: 64,
  unsupported: 69,
  bug: 70,
  journal: 73,
  busy: 75,
  permission: 77,
  configuration: 78,
} as const;

const REGISTRY = {
  // command line and configuration
  USAGE: EXIT.usage,
  CONFIGURATION_INVALID: EXIT.configuration,

  // the hook; the codes that native/ throws
  KERNEL_UNSUPPORTED: EXIT.unsupported,
  HOOK_PERMISSION: EXIT.permission,
  HOOK_BPFFS: EXIT.permission,
  HOOK_BUSY: EXIT.busy,
  HOOK_ABSENT: EXIT.configuration,
  HOOK_PINS_FOREIGN: EXIT.configuration,
  HOOK_PINS_INCOMPATIBLE: EXIT.configuration,
  HOOK_UNREAD: EXIT.configuration,
  HOOK_SYSTEM: EXIT.bug,

  // the journal
  JOURNAL_UNUSABLE: EXIT.journal,
  JOURNAL_FULL: EXIT.journal,
  JOURNAL_BUSY: EXIT.busy,
} as const satisfies Record<string, number>;

export type ErrorCode = keyof typeof REGISTRY;

/** An error with a code from the registry; its message names the cause and the remedy. */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get exitCode(): number {
    return REGISTRY[this.code];
  }
}

/** The exit code for anything thrown: the registry's, or 70 for what nobody foresaw. */
export function exitCodeOf(error: unknown): number {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && code in REGISTRY ? REGISTRY[code as ErrorCode] : EXIT.bug;
}
