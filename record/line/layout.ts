import { CORE } from '../fields/core.ts';
import { ENVIRONMENT } from '../fields/environment.ts';
import { NUMBERS } from '../fields/exec.ts';
import { EXECUTABLE } from '../fields/executable.ts';
import { GAP } from '../fields/gap.ts';

/** Returns a member's name as it precedes its value. */
export function before({ key }: { readonly key: string }): string {
  return `"${key}":`;
}

/**
 * The order of a line, which the writer and the byte reader share: the text between the end of a
 * value and the beginning of the next one. A comma separates attributes.
 */
export const LAYOUT = {
  id: `{${before(CORE.id)}`,
  timestamp: `,${before(CORE.timestamp)}`,
  pid: `,"actor":{${before(CORE.pid)}`,
  ppid: `,${before(CORE.ppid)}`,
  uid: `,${before(CORE.uid)}`,
  gid: `,${before(CORE.gid)}`,
  comm: `,${before(CORE.comm)}`,
  action: `},${before(CORE.action)}`,
  object: `,${before(CORE.object)}`,
  permittedBy: `,${before(CORE.permittedBy)}`,
  parentCause: `,${before(CORE.parentCause)}`,
  resource: ',"resource":',
  attributes: `,"attributes":{`,
  end: '}}',
} as const;

/** The first attributes of every line, of a gap, of a trace and of an invocation. */
export const FIRST = {
  attribute: before(NUMBERS.bootId),
  gap: before(GAP.gapReason),
  trace: before(ENVIRONMENT.traceId),
  invocation: before(EXECUTABLE.executable),
} as const;
