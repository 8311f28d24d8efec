import { journalTargets } from './journal-targets.ts';
import { KERNEL_TARGETS } from './kernel-targets.ts';
import { MESSAGE_TARGETS } from './message-targets.ts';
import { READER_TARGETS } from './reader-targets.ts';
import { stateTargets } from './state-targets.ts';
import type { Target } from './target.ts';

/** Every parser of foreign input; files for it are made in `dir`. */
export function createTargets(dir: string): readonly Target[] {
  return [
    ...KERNEL_TARGETS,
    ...MESSAGE_TARGETS,
    ...READER_TARGETS,
    ...journalTargets(dir),
    ...stateTargets(dir),
  ];
}
