import type { Machine } from './machine.ts';

let machine: Machine | undefined;

/** The machine on which the agent of this process runs now. */
export function current(): Machine {
  if (machine === undefined) throw new Error('no machine is simulated');
  return machine;
}

/** Makes a machine the current one. */
export function enter(entered: Machine): void {
  machine = entered;
}
