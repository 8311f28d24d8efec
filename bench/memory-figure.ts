import type { Memory } from './bed/memory.ts';
import type { Figure } from './budgets.ts';
import { decimal } from './table.ts';

const MIB = 2 ** 20;

/** Makes a figure of an agent's own memory, with what its cgroup and `ps` report as details. */
export function memoryFigure(what: string, memory: Memory): Figure {
  const workingSet = decimal(memory.workingSet / MIB);
  const resident = decimal(memory.residentPeak / MIB);
  return {
    what,
    value: memory.anonymous / MIB,
    unit: 'MiB',
    more: `anonymous; working set with the kernel’s maps ${workingSet}, peak RSS without the ring ${resident}`,
  };
}
