import { KEYS } from './fields.ts';

/** A contiguous range of the numbers that a CPU gave under one hook. */
export interface SequenceRange {
  readonly hookId: string;
  readonly cpu: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** The numbers that a line speaks of: an exec's own, or those of a loss. */
export interface Numbers extends SequenceRange {
  /** undefined: the line is an exec's */
  readonly stage: string | undefined;
}

/**
 * Where the line of an exec has its hook, CPU and number, and the line of a loss its range. Nothing
 * else looks like this: inside a JSON string a quotation mark has a backslash before it, not a comma;
 * one that ends a string has no letter behind it; and the resource attributes that people configure
 * are strings, not bare numbers.
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

/** All that whole lines say of numbers, in their order. */
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
