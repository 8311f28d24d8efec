import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSeeded } from '../../support/scripted/seeded.ts';
import {
  DiskModel,
  type Luck,
  luckWithHoles,
  type Operation,
  readTrace,
} from '../journal/disk-model.ts';
import { finish } from './finish.ts';
import { judgeWorld } from './judge.ts';
import type { Point } from './kill.ts';
import { bootIdOf, bootOf, type Scenario } from './scenarios.ts';
import { type Bench, receivedIn, type World } from './world.ts';
import { linesWritten, plainSegments } from './written.ts';

const BOOT = 1;
const NEXT_BOOT = 2;
const RECEIVED = 'received';

/**
 * Cuts the power after so many operations of a life, so that only what was synced is sure to be
 * there; boots the machine again, lives on, and judges the journal of both.
 */
export async function cutAfter(
  bench: Bench,
  scenario: Scenario,
  operations: readonly Operation[],
  count: number,
): Promise<Point> {
  const world = bench.world();
  const before = operations.slice(0, count);
  cut(world, before, luckOf(count));
  const committed = scenario.options.sync === 'always' ? committedIn(before) : [];
  const boots = [
    { ...bootOf(scenario, BOOT), isCut: true, committed },
    bootOf(scenario, NEXT_BOOT),
  ];
  const segments = plainSegments(world.journal);
  const failure = await finish(bench, world, scenario, NEXT_BOOT);
  const later = linesWritten(readTrace(world.trace, world.journal), segments).filter(isLater);
  const history = [...linesWritten(before), ...later];
  const findings = failure ?? judgeWorld(world, history, boots, receivedIn(world));
  if (findings.length === 0) bench.remove(world);
  return { at: `${scenario.name}, power cut after operation ${count}`, findings };
}

/** Leaves what a disk has; the collector is another machine, and has all that was sent. */
function cut({ folder, journal }: World, operations: readonly Operation[], luck: Luck): void {
  const disk = new DiskModel();
  const received: Buffer[] = [];
  for (const operation of operations) {
    if (operation.kind === 'printed') continue;
    if (operation.name !== RECEIVED) disk.apply(operation);
    else if (operation.kind === 'write') received.push(operation.bytes);
  }
  disk.cut(journal, luck);
  writeFileSync(join(folder, RECEIVED), Buffer.concat(received));
}

/** Nothing more than what was synced; or some of it; or all of it, but with holes. */
function luckOf(count: number): Luck {
  const seeded = createSeeded(count);
  const { below, percent } = seeded;
  const whole = (): [number, number] => [0, 0];
  switch (count % 3) {
    case 0:
      return { change: () => false, bytes: () => 0, hole: whole };
    case 1:
      return { change: () => percent(50), bytes: (most) => below(most + 1), hole: whole };
    default:
      return luckWithHoles(seeded);
  }
}

/** The last number of each CPU that was committed to the kernel. */
function committedIn(operations: readonly Operation[]): readonly number[] {
  const printed = operations.findLast(({ kind }) => kind === 'printed');
  return printed?.kind === 'printed' ? JSON.parse(printed.text).readSeq : [];
}

function isLater(line: string): boolean {
  return line.includes(`"vcml.boot.id":"${bootIdOf(NEXT_BOOT)}"`);
}
