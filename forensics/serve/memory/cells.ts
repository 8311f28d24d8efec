import { type Asked, type NodeFacts, stateOf } from '../../completeness/node.ts';
import type { Cell, NodeCells } from '../memory.ts';
import type { OffTime } from './off-times.ts';

/** Collects the cells of each node, part by part. */
export class CellsByNode {
  readonly #off: ReadonlyMap<string, readonly OffTime[]>;
  readonly #nodes = new Map<string, NodeCells & { readonly cells: Cell[] }>();

  /** `off` says when no agent was running on each node. */
  constructor(off: ReadonlyMap<string, readonly OffTime[]>) {
    this.#off = off;
  }

  /** Adds what is known of a node in the next part of the time, and how many records are there. */
  add(facts: NodeFacts, part: Asked, records: number): void {
    const { node, first, last = first } = facts;
    const off = this.#off.get(node) ?? [];
    const known = this.#nodes.get(node) ?? { node, first, last, off, cells: [] };
    this.#nodes.set(node, known);
    known.cells.push({ state: stateOf(facts, part), records });
  }

  get all(): readonly NodeCells[] {
    return [...this.#nodes.values()];
  }
}
