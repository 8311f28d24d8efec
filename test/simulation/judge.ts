import { judgeWorld } from '../integration/killpoints/judge.ts';
import type { HookHistory } from './world/kernel.ts';
import type { Machine, Offset } from './world/machine.ts';

/** Where the journal is, and every line that it ever had. */
interface Left {
  readonly journal: string;
  readonly history: readonly string[];
}

/** Finds what a machine's journal and its collector do not say as it was. */
export function judgeMachine(machine: Machine, { journal, history }: Left): string[] {
  const hooks = machine.kernel.hooks.filter(({ hookId }) => hookId !== '');
  return [
    ...judgeWorld({ journal }, history, hooks, machine.collector.received),
    ...hooks.flatMap((hook) => judgeTimes(history, hook, machine.offsets)),
    ...hooks.flatMap((hook) => judgeMisses(history, hook)),
    ...judgeOtherLosses(history, hooks),
  ];
}

/** The wall time of a record is its boot time, by a clock as it was after the exec. */
function judgeTimes(
  history: readonly string[],
  { hookId, execs, happenedAt }: HookHistory,
  offsets: readonly Offset[],
): string[] {
  const byMark = new Map(execs.map((exec, n) => [exec.mark, happenedAt[n] ?? 0]));
  return history.flatMap((line) => {
    if (!line.includes(`"vcml.hook.id":"${hookId}"`)) return [];
    const at = byMark.get(/"process\.command_args":\["p","([^"]*)"/.exec(line)?.[1] ?? '');
    const wall = /"timestamp":(\d+)/.exec(line)?.[1] ?? '';
    const boot = /"vcml\.boot_time":"(\d+)"/.exec(line)?.[1];
    if (at === undefined || boot === undefined) return [];
    const offset = BigInt(wall) - BigInt(boot);
    const isRight = offsets.some(
      ({ ns }, n) => (offsets[n + 1]?.from ?? Number.POSITIVE_INFINITY) >= at && near(ns, offset),
    );
    return isRight ? [] : [`a clock was never ${offset} ns ahead: ${line.slice(0, 200)}`];
  });
}

function near(a: bigint, b: bigint): boolean {
  return a - b < 1_000_000n && b - a < 1_000_000n;
}

/** Execs that the kernel did not see are lost once. */
function judgeMisses(history: readonly string[], { hookId, memory, isCut }: HookHistory): string[] {
  const lost = history
    .filter(
      (line) =>
        line.includes('"vcml.loss.stage":"kernel"') &&
        line.includes(`"vcml.loss.hook_id":"${hookId}"`),
    )
    .map((line) => Number(/"vcml\.loss\.count":(\d+)/.exec(line)?.[1] ?? 0))
    .reduce((a, b) => a + b, 0);
  const { misses } = memory;
  return lost === misses || (isCut && lost < misses)
    ? []
    : [`${misses} execs were missed, and ${lost} are lost`];
}

/** A reboot is lost once, and only where the power was cut; nobody removes the kernel side. */
function judgeOtherLosses(history: readonly string[], hooks: readonly HookHistory[]): string[] {
  const reboots = history
    .map((line) => /"vcml\.loss\.boot_id":"([^"]*)"/.exec(line)?.[1])
    .filter((bootId) => bootId !== undefined);
  const cut = new Set(hooks.filter(({ isCut }) => isCut).map(({ bootId }) => bootId));
  return [
    ...reboots
      .filter((bootId) => !cut.has(bootId))
      .map((bootId) => `boot ${bootId} did not end, and is lost`),
    ...history
      .filter((line) => line.includes('"vcml.loss.since"'))
      .map((line) => `nobody removed a hook: ${line.slice(0, 300)}`),
  ];
}
