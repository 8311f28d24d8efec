import { createRandom, type Random } from '../fuzz.ts';
import { startCoverage } from './reached.ts';
import type { Target } from './target.ts';

/** Inputs between two looks at what was reached: a look takes as long as many inputs do. */
const BATCH = 32;
const INPUT_MAX_BYTES = 16 * 1024;
/** Half of the inputs are made of those that were kept last: they are the furthest in. */
const RECENT = 8;

export interface GuideOptions {
  readonly seed: number;
  /** Inputs of earlier runs. */
  readonly corpus?: readonly Buffer[];
  /** false: every input is made of a seed, as if nothing was learnt. */
  readonly guided?: boolean;
  /** Before each batch; false ends the run. */
  goesOn(rounds: number): boolean;
  /** Before an input is tried. */
  onInput?(input: Buffer): void;
  /** It reached what none did before. */
  onKept?(input: Buffer): void;
}

/** How a run ended. */
export interface Outcome {
  readonly rounds: number;
  /** Inputs that others are made of. */
  readonly kept: number;
  /** The property does not hold for this input. */
  readonly failure?: { readonly input: Buffer; readonly error: unknown } | undefined;
}

/**
 * Tries inputs made of the target's seeds, and of those that reached something new, until one fails
 * or the run is to end. The same seed gives the same inputs.
 */
export async function guide(target: Target, options: GuideOptions): Promise<Outcome> {
  const { corpus = [], guided = true, goesOn, onInput, onKept } = options;
  const random = createRandom(options.seed);
  const kept: Buffer[] = [...target.seeds, ...corpus].map((one) => Buffer.from(one));
  const reached = startCoverage();

  async function fails(inputs: readonly Buffer[], after?: (input: Buffer) => void) {
    for (const input of inputs) {
      onInput?.(input);
      try {
        // A copy, because a parser may change its input.
        await target.check(Buffer.from(input));
      } catch (error) {
        return { input, error };
      }
      after?.(input);
    }
    return undefined;
  }

  function keepIfNew(input: Buffer): void {
    const coverage = reached.take();
    if (!reached.isNew(coverage)) return;
    reached.learn(coverage);
    kept.push(input);
    onKept?.(input);
  }

  let rounds = 0;
  try {
    let failure = await fails(kept);
    reached.learn(reached.take());
    for (; failure === undefined && goesOn(rounds); rounds += BATCH) {
      const batch = Array.from({ length: BATCH }, () => mutated(kept, random));
      failure = await fails(batch);
      if (!guided || failure !== undefined) continue;
      const coverage = reached.take();
      if (!reached.isNew(coverage)) continue;
      failure = await fails(batch, keepIfNew);
      // What only the whole batch reaches is not looked for again.
      reached.learn(coverage);
    }
    return { rounds, kept: kept.length, failure };
  } finally {
    reached.close();
  }
}

function mutated(kept: readonly Buffer[], random: Random): Buffer {
  const from = random.below(2) === 0 ? kept : kept.slice(-RECENT);
  const input =
    random.below(8) === 0 ? crossed(random.pick(from), kept, random) : random.pick(from);
  return random.damaged(input).subarray(0, INPUT_MAX_BYTES);
}

/** With a part of another one in it. */
function crossed(input: Buffer, kept: readonly Buffer[], random: Random): Buffer {
  const other = random.pick(kept);
  const from = random.below(other.length + 1);
  const part = other.subarray(from, from + random.below(other.length - from + 1));
  const at = random.below(input.length + 1);
  return Buffer.concat([
    input.subarray(0, at),
    part,
    input.subarray(at + random.below(2) * part.length),
  ]);
}
