import type { ExecColumns } from '../../exec-lines/exec-columns.ts';
import { HookWords } from './hook-words.ts';

const HIGH_WORD = 2 ** 32;

/** Execs of one CPU whose numbers ascend by one, without a line between them that is no ordinary exec. */
export interface Piece {
  /** `boot/hook` */
  readonly hook: string;
  readonly cpu: number;
  /** the row of the first one */
  readonly row: number;
  readonly first: number;
  count: number;
}

/** The numbers of ordinary execs. */
export class SeenNumbers {
  /** in the order of their first rows; few if all is well */
  readonly pieces: Piece[] = [];

  /** Takes the rows `from` up to `to` of a file, which are all execs; `base` is the row of its first line. */
  add({ boot, hook, cpu, seq }: ExecColumns, base: number, from: number, to: number): void {
    const [boots, hooks, cpus] = [new Int32Array(boot), new Int32Array(hook), new Int32Array(cpu)];
    const numbers = new Uint32Array(seq);
    const ofHooks = new Map<string, Map<number, Piece>>();
    let words: HookWords | undefined;
    let key = '';
    let open = new Map<number, Piece>();
    for (let row = from; row < to; row++) {
      if (words === undefined || !words.are(boots, hooks, row)) {
        words = new HookWords(boots, hooks, row);
        key = words.key;
        open = ofHooks.get(key) ?? new Map();
        ofHooks.set(key, open);
      }
      const number = (numbers[2 * row + 1] as number) * HIGH_WORD + (numbers[2 * row] as number);
      const of = cpus[row] as number;
      const piece = open.get(of);
      if (piece !== undefined && number === piece.first + piece.count) piece.count += 1;
      else {
        const begun = { hook: key, cpu: of, row: base + row, first: number, count: 1 };
        open.set(of, begun);
        this.pieces.push(begun);
      }
    }
  }
}
