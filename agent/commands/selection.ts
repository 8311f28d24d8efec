import { KEYS } from '../../record/fields.ts';
import type { FrameTest } from '../journal/indexed.ts';

/** Which lines are wanted; those of the journal itself are wanted whatever the pod. */
export interface Selection {
  /** Unix nanoseconds: the first one, and the first one that is too late */
  readonly from: bigint | undefined;
  readonly before: bigint | undefined;
  /** NAME or NAMESPACE/NAME */
  readonly pod: string | undefined;
}

/** Returns whether everything is wanted. */
export function isAll({ from, before, pod }: Selection): boolean {
  return from === undefined && before === undefined && pod === undefined;
}

/** Makes the test for lines. */
export function lineTest({ from, before, pod }: Selection): (line: string) => boolean {
  const fields = pod === undefined ? [] : fieldsOf(pod);
  return (line) => {
    if (!hasAll(line, fields) && !line.includes('"action":"journal.')) return false;
    if (from === undefined && before === undefined) return true;
    const time = timestampOf(line);
    return (from === undefined || time >= from) && (before === undefined || time < before);
  };
}

/** Makes the test for frames of a compressed segment that may have such lines. */
export function frameTest({ from, before, pod }: Selection): FrameTest {
  const fields = pod === undefined ? [] : fieldsOf(pod);
  return (index) => {
    const isInPod = index.resources.map((resource) => hasAll(resource, fields));
    return ({ first, last, onlyExecs, resources }) => {
      if (from !== undefined && last < from) return false;
      if (before !== undefined && first >= before) return false;
      return !onlyExecs || resources === undefined || resources.some((one) => isInPod[one]);
    };
  };
}

/**
 * The fields of a pod as the agent writes them: inside a string, their quotation marks would be
 * escaped.
 */
function fieldsOf(pod: string): string[] {
  const [name = '', namespace] = pod.split('/').toReversed();
  const fields = [`"${KEYS.podName}":${JSON.stringify(name)}`];
  if (namespace !== undefined) fields.push(`"${KEYS.namespace}":${JSON.stringify(namespace)}`);
  return fields;
}

function hasAll(text: string, fields: readonly string[]): boolean {
  return fields.every((one) => text.includes(one));
}

/**
 * Reads the exact timestamp: it is beyond 2^53, so JSON.parse would round it. A line without one
 * counts as 0.
 */
function timestampOf(line: string): bigint {
  return BigInt(/"timestamp":(\d+)/.exec(line)?.[1] ?? 0);
}
