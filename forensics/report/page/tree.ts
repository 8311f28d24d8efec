/** The tree of causes. It is a forest even if the links are damaged. */
export interface Tree {
  /** -1 for a root */
  readonly parents: Int32Array;
  /** children in the order of the report; -1: none */
  readonly firstChildren: Int32Array;
  readonly nextSiblings: Int32Array;
  readonly firstRoot: number;
  /** parents before children */
  readonly order: Int32Array;
  /** the number of records that each record led to */
  readonly effects: Int32Array;
}

/** The visible part of a tree, line by line. */
export interface Lines {
  readonly records: Int32Array;
  readonly levels: Int32Array;
  /** the number of each record among its siblings, from 1, and how many siblings there are */
  readonly positions: Int32Array;
  readonly siblings: (record: number) => number;
  readonly hasChildren: (record: number) => boolean;
}

/** Builds the tree; it drops one link of each circle of causes. */
export function growTree(causes: Int32Array): Tree {
  const parents = withoutCircles(causes);
  const count = parents.length;
  const firstChildren = new Int32Array(count).fill(-1);
  const nextSiblings = new Int32Array(count).fill(-1);
  let firstRoot = -1;
  for (let record = count - 1; record >= 0; record--) {
    const parent = parents[record] ?? -1;
    nextSiblings[record] = parent < 0 ? firstRoot : (firstChildren[parent] ?? -1);
    if (parent < 0) firstRoot = record;
    else firstChildren[parent] = record;
  }
  const order = new Int32Array(count);
  let next = 0;
  walk({ parents, firstChildren, nextSiblings, firstRoot }, (record) => {
    order[next++] = record;
    return true;
  });
  const effects = new Int32Array(count);
  for (const record of order.toReversed()) addTo(effects, parents[record], at(effects, record) + 1);
  return { parents, firstChildren, nextSiblings, firstRoot, order, effects };
}

/**
 * Returns the lines of a tree: the selected records and those that lead to them, without collapsed
 * ones.
 */
export function linesOfTree(tree: Tree, kept: Uint8Array, collapsed: Uint8Array): Lines {
  const count = kept.length;
  const shown = kept.slice();
  for (const record of tree.order.toReversed()) {
    const parent = at(tree.parents, record);
    if (shown[record] === 1 && parent >= 0) shown[parent] = 1;
  }
  const positions = new Int32Array(count);
  const children = new Int32Array(count + 1);
  const records = new Int32Array(count);
  const levels = new Int32Array(count);
  let length = 0;
  for (const record of tree.order) {
    if (shown[record] !== 1) continue;
    const parent = at(tree.parents, record);
    addTo(children, parent < 0 ? count : parent, 1);
    positions[record] = at(children, parent < 0 ? count : parent);
  }
  walk(tree, (record, level) => {
    if (shown[record] !== 1) return false;
    records[length] = record;
    levels[length++] = level;
    return collapsed[record] !== 1;
  });
  return {
    records: records.subarray(0, length),
    levels: levels.subarray(0, length),
    positions,
    siblings: (record) => at(children, tree.parents[record] === -1 ? count : tree.parents[record]),
    hasChildren: (record) => at(children, record) > 0,
  };
}

/** Expands everything below a record. */
export function expandBelow(tree: Tree, root: number, collapsed: Uint8Array): void {
  const below = new Uint8Array(collapsed.length);
  below[root] = 1;
  for (const record of tree.order) {
    if (below[tree.parents[record] ?? -1] === 1) below[record] = 1;
    if (below[record] === 1) collapsed[record] = 0;
  }
}

/** Returns the selected records as a flat list. */
export function linesOfList(kept: Uint8Array): Lines {
  const records = new Int32Array(kept.length);
  const positions = new Int32Array(kept.length);
  let length = 0;
  for (let record = 0; record < kept.length; record++) {
    if (kept[record] !== 1) continue;
    records[length++] = record;
    positions[record] = length;
  }
  return {
    records: records.subarray(0, length),
    levels: new Int32Array(length).fill(1),
    positions,
    siblings: () => length,
    hasChildren: () => false,
  };
}

type Links = Pick<Tree, 'parents' | 'firstChildren' | 'nextSiblings' | 'firstRoot'>;

/**
 * Visits records in order, and those below a record only if visit returns true. Chains are too deep
 * for recursion.
 */
function walk(links: Links, visit: (record: number, level: number) => boolean): void {
  let record = links.firstRoot;
  let level = 1;
  while (record >= 0) {
    const below = visit(record, level) ? at(links.firstChildren, record) : -1;
    if (below >= 0) {
      record = below;
      level++;
      continue;
    }
    while (record >= 0 && at(links.nextSiblings, record) < 0) {
      record = at(links.parents, record);
      level--;
    }
    if (record >= 0) record = at(links.nextSiblings, record);
  }
}

function withoutCircles(causes: Int32Array): Int32Array {
  const parents = causes.slice();
  /** the walk that reached each record first */
  const seen = new Int32Array(causes.length);
  for (let start = 0; start < causes.length; start++) {
    let record = start;
    while (record >= 0 && seen[record] === 0) {
      seen[record] = start + 1;
      const parent = at(parents, record);
      if (parent >= 0 && seen[parent] === start + 1) parents[record] = -1;
      record = at(parents, record);
    }
  }
  return parents;
}

function at(numbers: Int32Array, index: number | undefined): number {
  return numbers[index ?? -1] ?? -1;
}

function addTo(numbers: Int32Array, index: number | undefined, more: number): void {
  if (index !== undefined && index >= 0) numbers[index] = at(numbers, index) + more;
}
