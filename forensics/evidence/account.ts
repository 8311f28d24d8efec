import { KEYS } from '../../record/fields.ts';
import type { StoredRecord } from '../../record/read.ts';
import type { CheckpointLine } from './checkpoint-line.ts';

/** What lines say about the numbers of the execs among them. */
export interface Account {
  /** numbers that are neither recorded nor reported as lost, and other contradictions, in words */
  readonly faults: readonly string[];
  /** the losses that were recorded, in words */
  readonly losses: readonly string[];
}

/** The numbers of one CPU, of one hook. */
interface Numbers {
  readonly from: number;
  /** the last that must be accounted for */
  last: number;
  readonly recorded: [first: number, last: number][];
  readonly lost: [first: number, last: number][];
}

/**
 * Counts the numbers of each CPU, from those that the checkpoint before the lines expects next (undefined:
 * the journal begins with the lines) to the last ones that the lines speak of.
 */
export class Counting {
  readonly #hooks = new Map<string, { next: readonly unknown[]; cpus: Map<number, Numbers> }>();
  readonly #losses: string[] = [];
  readonly #faults: string[] = [];

  constructor(opening?: CheckpointLine) {
    if (opening !== undefined) this.#begin(`${opening.bootId} ${opening.hookId}`, opening.nextSeq);
  }

  /** Takes the next line. */
  add({ action, attributes }: StoredRecord): void {
    const of = (key: string) => attributes[key];
    const hook = `${of(KEYS.bootId)} ${of(KEYS.hookId)}`;
    if (action === 'exec') this.#exec(hook, of(KEYS.cpu), of(KEYS.seq));
    else if (action === 'journal.start') this.#begin(hook, of(KEYS.hookNextSeq));
    else if (action === 'journal.loss') this.#loss(of);
    else if (action === 'journal.checkpoint') {
      const next = of(KEYS.checkpointNextSeq);
      const own = `${of(KEYS.bootId)} ${of(KEYS.checkpointHookId)}`;
      if (Array.isArray(next))
        for (const [cpu, number] of next.entries()) this.#upTo(own, cpu, Number(number) - 1);
    }
  }

  /** Returns the result. */
  end(): Account {
    const faults = [...this.#faults];
    for (const { cpus } of this.#hooks.values())
      for (const [cpu, numbers] of cpus)
        for (const fault of faultsIn(numbers)) faults.push(`CPU ${cpu}: ${fault}`);
    return { faults, losses: this.#losses };
  }

  #begin(hook: string, next: unknown): void {
    if (this.#hooks.has(hook)) return;
    if (Array.isArray(next)) this.#hooks.set(hook, { next, cpus: new Map() });
    else this.#faults.push('a journal.start does not say which numbers it expects');
  }

  #exec(hook: string, cpu: unknown, seq: unknown): void {
    if (!Number.isSafeInteger(cpu) || !Number.isSafeInteger(seq)) {
      this.#faults.push('an exec has no number');
      return;
    }
    const numbers = this.#numbers(hook, cpu as number);
    if (numbers === undefined) this.#faults.push('an exec has a number of an unknown hook');
    numbers?.recorded.push([seq as number, seq as number]);
    this.#upTo(hook, cpu as number, seq as number);
  }

  #loss(of: (key: string) => unknown): void {
    const [cpu, first, last] = [of(KEYS.lossCpu), of(KEYS.lossFirstSeq), of(KEYS.lossLastSeq)];
    const hasNumbers = [cpu, first, last].every(Number.isSafeInteger);
    const count = of(KEYS.lossCount);
    const numbers = hasNumbers ? `, numbers ${first} to ${last} of CPU ${cpu}` : '';
    this.#losses.push(`${of(KEYS.lossStage)}: ${count ?? 'an unknown number'} lost${numbers}`);
    if (!hasNumbers) return;
    const hook = `${of(KEYS.bootId)} ${of(KEYS.lossHookId)}`;
    this.#numbers(hook, cpu as number)?.lost.push([first as number, last as number]);
    // What retention deleted was accounted for when it was written.
    if (of(KEYS.lossStage) !== 'retention') this.#upTo(hook, cpu as number, last as number);
  }

  #upTo(hook: string, cpu: number, last: number): void {
    const numbers = this.#numbers(hook, cpu);
    if (numbers !== undefined) numbers.last = Math.max(numbers.last, last);
  }

  #numbers(hook: string, cpu: number): Numbers | undefined {
    const known = this.#hooks.get(hook);
    if (known === undefined) return undefined;
    const numbers = known.cpus.get(cpu) ?? {
      from: Number(known.next[cpu] ?? 1),
      last: 0,
      recorded: [],
      lost: [],
    };
    known.cpus.set(cpu, numbers);
    return numbers;
  }
}

function* faultsIn({ from, last, recorded, lost }: Numbers): Generator<string> {
  let seen = from - 1;
  for (const [number] of recorded.sort(byFirst)) {
    if (number <= seen) yield `number ${number} is recorded twice, or before its time`;
    seen = Math.max(seen, number);
  }
  let next = from;
  for (const [first, end] of [...recorded, ...lost].sort(byFirst)) {
    if (first > next) yield missing(next, first - 1);
    next = Math.max(next, end + 1);
  }
  if (last >= next) yield missing(next, last);
}

function missing(first: number, last: number): string {
  return `the numbers ${first} to ${last} are neither recorded nor reported as lost`;
}

function byFirst([a]: readonly number[], [b]: readonly number[]): number {
  return (a ?? 0) - (b ?? 0);
}
