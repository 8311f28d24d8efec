import { textOf } from '../../record/kernel-text.ts';
import type { Environment } from '../../record/types.ts';
import type { EventView } from './event-view.ts';
import { execEnvironment, execEvent } from './layout.ts';

/** Returns the bytes of an exec event before its environment, which is last: all, if it has none. */
export function lengthBeforeEnvironment({ u16 }: EventView, event: number, length: number): number {
  const hasNone = u16(event + execEvent.environmentLength) === 0;
  return hasNone ? length : u16(event + execEvent.environmentOffset);
}

/** Says what is wrong with the environment in an exec event; undefined: nothing, or there is none. */
export function environmentFault(
  { u16, u32 }: EventView,
  event: number,
  length: number,
): string | undefined {
  const at = u16(event + execEvent.environmentOffset);
  const bytes = u16(event + execEvent.environmentLength);
  if (bytes === 0) return undefined;
  if (at < execEvent.bytes || at % 4 !== 0 || at + bytes !== length)
    return 'environment not at the end of the event';
  const kept = bytes - execEnvironment.bytes;
  const isSound =
    kept >= 0 &&
    u32(event + at + execEnvironment.size) >= kept &&
    u32(event + at + execEnvironment.first) <= kept;
  return isSound ? undefined : 'damaged environment';
}

/**
 * Makes a reader of the variables with these names in the environment of an exec event. It keeps
 * nothing of the other ones. Undefined: the event has no environment, or there are no names.
 */
export function createEnvironmentReader(
  { buffer, u32, start, end }: EventView,
  names: readonly string[],
): (event: number) => Environment | undefined {
  const wanted = [...new Set(names)].map((name) => ({ name, prefix: Buffer.from(`${name}=`) }));

  return (event) => {
    const head = start(event, execEvent.environment);
    const to = end(event, execEvent.environment);
    if (wanted.length === 0 || head === to) return undefined;
    const from = head + execEnvironment.data;
    const seam = from + u32(head + execEnvironment.first);
    const isCut = to - from < u32(head + execEnvironment.size);
    if (!isCut) return { variables: variablesIn(from, to), isCut };
    // Behind the seam is the end of some string, which may look like a variable.
    const behind = buffer.indexOf(0, seam) + 1;
    const last = behind === 0 ? [] : variablesIn(behind, to);
    return { variables: [...variablesIn(from, seam), ...last], isCut };
  };

  /** Reads whole strings only: what no NUL ends is cut. */
  function variablesIn(from: number, to: number): Environment['variables'] {
    const variables = [];
    for (let at = from, nul: number; at < to; at = nul + 1) {
      nul = buffer.indexOf(0, at);
      if (nul < 0 || nul >= to) break;
      const found = wanted.find(({ prefix }) => isAt(prefix, at));
      if (found === undefined) continue;
      const value = textOf(buffer, at + found.prefix.length, nul);
      variables.push({ name: found.name, value });
    }
    return variables;
  }

  /** Makes no string of what it compares: it would stay in memory for a while. */
  function isAt(prefix: Buffer, at: number): boolean {
    for (let n = 0; n < prefix.length; n++) if (buffer[at + n] !== prefix[n]) return false;
    return true;
  }
}
