import { Block } from '../../../record/tree/block.ts';
import { Frontier } from '../../../record/tree/frontier.ts';
import { leafHash, NO_LINE, sha256 } from '../../../record/tree/hashes.ts';
import { readCheckpoint } from '../../../record/tree/read-checkpoint.ts';

/**
 * Makes the checkpoints of a journal's only segment again, as somebody does who has changed its lines and
 * has the agent's code.
 */
export function rewriteSegment(text: Buffer): Buffer {
  const tree = new Frontier();
  const block = new Block();
  let previousLine: Buffer = NO_LINE;
  const lines = text
    .toString()
    .split(/(?<=\n)/)
    .map((line) => {
      const checkpoint = readCheckpoint(line);
      if (checkpoint === undefined) {
        block.add(Buffer.from(line));
        return line;
      }
      const { bytes } = block;
      const leaf = leafHash(previousLine, block.end());
      tree.add(leaf);
      const changed = line
        .replace(/(?<="vcml\.checkpoint\.leaf":")[^"]*/, leaf.toString('base64'))
        .replace(/(?<="vcml\.checkpoint\.root":")[^"]*/, tree.root.toString('base64'))
        .replace(/(?<="vcml\.checkpoint\.bytes":)\d+/, `${bytes}`);
      previousLine = sha256(Buffer.from(changed));
      return changed;
    });
  return Buffer.from(lines.join(''));
}
