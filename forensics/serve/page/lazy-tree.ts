import type { Lines } from '../../report/page/tree.ts';

/** A record in a tree whose effects are loaded when they are wanted. */
export interface Node {
  /** -1 for a root */
  readonly parent: number;
  readonly children: number[];
  /** how many direct effects the record has; undefined: not known */
  effects: number | undefined;
  isOpen: boolean;
  /** where its further effects begin; null: all are here; undefined: none were asked for */
  next: string | null | undefined;
  /** the number of the line that stands for the effects that are not here */
  readonly rest: number;
}

/** A tree of records that grows where a reader opens it. */
export class LazyTree {
  readonly nodes = new Map<number, Node>();
  readonly #roots: number[] = [];
  /** the records whose rest a line stands for */
  readonly #rests = new Map<number, number>();
  readonly #newLine: () => number;

  /** `newLine` gives a number that no record has. */
  constructor(newLine: () => number) {
    this.#newLine = newLine;
  }

  get roots(): readonly number[] {
    return this.#roots;
  }

  addRoot(record: number, effects: number | undefined): void {
    this.#roots.push(record);
    this.#add(record, -1, effects);
  }

  /** Adds a record below another one, behind those that are there. */
  addChild(parent: number, record: number, effects: number | undefined): void {
    this.nodes.get(parent)?.children.push(record);
    this.#add(record, parent, effects);
  }

  /** The record whose further effects a line stands for. */
  restOf(line: number): number | undefined {
    return this.#rests.get(line);
  }

  hasChildren(record: number): boolean {
    const node = this.nodes.get(record);
    return node !== undefined && (node.children.length > 0 || (node.effects ?? 0) > 0);
  }

  /** Whether effects of a record are known to be missing here. */
  hasRest(record: number): boolean {
    const node = this.nodes.get(record);
    if (node === undefined || node.next === null) return false;
    return node.effects === undefined || node.effects > node.children.length;
  }

  /** The lines of what is open; `count` is one more than the highest number of a line. */
  lines(count: number): Lines {
    const records: number[] = [];
    const levels: number[] = [];
    const positions = new Int32Array(count);
    const siblings = new Map<number, number>();
    // Chains are too deep for recursion.
    const stack = [{ lines: this.#roots as readonly number[], at: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const line = top.lines[top.at++];
      if (line === undefined) {
        stack.pop();
        continue;
      }
      records.push(line);
      levels.push(stack.length);
      positions[line] = top.at;
      siblings.set(line, top.lines.length);
      const node = this.nodes.get(line);
      if (node?.isOpen)
        stack.push({
          lines: this.hasRest(line) ? [...node.children, node.rest] : node.children,
          at: 0,
        });
    }
    return {
      records: Int32Array.from(records),
      levels: Int32Array.from(levels),
      positions,
      siblings: (line) => siblings.get(line) ?? -1,
      hasChildren: (line) => this.hasChildren(line),
    };
  }

  #add(record: number, parent: number, effects: number | undefined): void {
    const rest = this.#newLine();
    this.#rests.set(rest, record);
    const next = effects === 0 ? null : undefined;
    this.nodes.set(record, { parent, children: [], effects, isOpen: false, next, rest });
  }
}
