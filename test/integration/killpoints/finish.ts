import type { Scenario } from './scenarios.ts';
import type { Bench, Life, World } from './world.ts';

/** How many lives may follow until everything is exported. */
const LIVES_MAX = 6;
const EXIT_BUG = 70;

/**
 * Lives on until everything is recorded and exported, after a life that ended somehow. Returns what
 * prevents that.
 */
export async function finish(
  bench: Bench,
  world: World,
  scenario: Scenario,
  boot: number,
  before?: Life,
): Promise<string[] | undefined> {
  let life = before ?? (await bench.live(world, scenario, boot));
  for (let lives = 0; !isFinished(life); lives++) {
    if (lives === LIVES_MAX || life.code === EXIT_BUG)
      return [`a life ends with ${life.code}: ${life.stderr}`];
    life = await bench.live(world, scenario, boot);
  }
  return undefined;
}

function isFinished({ code, stderr }: Life): boolean {
  return code === 0 && !stderr.includes('export.unfinished');
}
