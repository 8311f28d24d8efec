import { CHECKPOINTS } from './checkpoints.ts';
import { CONTINUITY } from './continuity.ts';
import { DELIVERY_MUTANTS } from './delivery.ts';
import { LINEAGE_MUTANTS } from './lineage.ts';
import type { Mutant } from './mutant.ts';
import { WRITER } from './writer.ts';

/** The planted faults that the simulation must find. */
export const MUTANTS: readonly Mutant[] = [
  ...WRITER,
  ...CHECKPOINTS,
  ...LINEAGE_MUTANTS,
  ...CONTINUITY,
  ...DELIVERY_MUTANTS,
];
