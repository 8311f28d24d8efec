import { type Judged, judgeCheckpoints } from './judge-checkpoints.ts';
import { segmentTexts } from './read-lines.ts';

/**
 * Finds what is wrong with the checkpoints of a journal, and with those that left the node, `received`
 * lines. Whatever happened to the machine, what left it is in the journal, or deleted for space.
 */
export function judgeWitness(dir: string, received: readonly string[]): string[] {
  const judged = judgeCheckpoints(segmentTexts(dir));
  const { problems, checkpoints } = judged;
  const roots = new Map(checkpoints.map((one) => [nameOf(one), one['vcml.checkpoint.root']]));
  const witnessed = received
    .filter((line) => line.includes('"journal.checkpoint"'))
    .map((line) => JSON.parse(line).attributes);
  return [
    ...problems,
    ...witnessed.flatMap((one) => {
      const there = roots.get(nameOf(one));
      if (there === one['vcml.checkpoint.root']) return [];
      if (there !== undefined) return [`${nameOf(one)} has another root than what left the node`];
      return isDeleted(one, judged) ? [] : [`${nameOf(one)} left the node, and is not here`];
    }),
  ];
}

function nameOf(checkpoint: Judged['checkpoints'][number]): string {
  return `${checkpoint['vcml.checkpoint.epoch']}/${checkpoint['vcml.checkpoint.size']}`;
}

/** The oldest segments are deleted for space, and whole epochs with them. */
function isDeleted(one: Judged['checkpoints'][number], { checkpoints }: Judged): boolean {
  const [first] = checkpoints;
  if (first === undefined) return true;
  const isSameEpoch = one['vcml.checkpoint.epoch'] === first['vcml.checkpoint.epoch'];
  if (isSameEpoch)
    return Number(one['vcml.checkpoint.size']) < Number(first['vcml.checkpoint.size']);
  return !checkpoints.some(
    (other) => other['vcml.checkpoint.epoch'] === one['vcml.checkpoint.epoch'],
  );
}
