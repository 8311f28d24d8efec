import { KEYS } from './fields.ts';

/** A contiguous range of the numbers of a CPU under one hook. */
export interface SequenceRange {
  readonly hookId: string;
  readonly cpu: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** The numbers in a line: an exec's own, or those of a loss. */
export interface Numbers extends SequenceRange {
  /** undefined: the line is an exec */
  readonly stage: string | undefined;
}

/**
 * Matches the hook, CPU and number in the line of an exec, and the range in the line of a loss.
 * Nothing else looks like this: inside a JSON string a quotation mark follows a backslash and not a
 * comma; a quotation mark that ends a string is not followed by a letter; and the resource
 * attributes that people configure are strings and not bare numbers.
 */
const EXEC = members([
  [KEYS.hookId, '"(?<hook>\\d+)"'],
  [KEYS.cpu, '(?<cpu>\\d+)'],
  [KEYS.seq, '(?<seq>\\d+)'],
]);
const LOSS = members([
  [KEYS.lossStage, '"(?<stage>\\w+)"'],
  [KEYS.lossHookId, '"(?<lossHook>\\d+)"'],
  [KEYS.lossCpu, '(?<lossCpu>\\d+)'],
  [KEYS.lossFirstSeq, '(?<first>\\d+)'],
  [KEYS.lossLastSeq, '(?<last>\\d+)'],
]);
const NUMBERS = new RegExp(`(?:${EXEC}|${LOSS})[,}]`, 'g');

/** Yields all numbers in whole lines, in their order. */
export function* numbersIn(lines: string): Generator<Numbers> {
  for (const { groups = {} } of lines.matchAll(NUMBERS)) {
    const { hook, cpu, seq, stage, lossHook, lossCpu, first, last } = groups;
    yield {
      stage,
      hookId: hook ?? lossHook ?? '',
      cpu: Number(cpu ?? lossCpu),
      firstSeq: Number(seq ?? first),
      lastSeq: Number(seq ?? last),
    };
  }
}

function members(pairs: readonly (readonly [key: string, value: string])[]): string {
  return pairs.map(([key, value]) => `,"${key.replaceAll('.', '\\.')}":${value}`).join('');
}
