import { writeExact } from '../../record/exact-json.ts';
import { KEYS } from '../../record/fields.ts';
import type { StoredRecord } from '../../record/read.ts';
import { visible } from '../../record/visible.ts';
import { completenessIn, withNumbers } from '../completeness/files.ts';
import { ForensicsError } from '../errors.ts';
import { type AuditLog, type AuditLogFor, auditLogAt } from '../exec-requests/audit-log.ts';
import { Graph } from '../graph.ts';
import { mayNarrow, narrowToSelection } from '../indexed/narrow-selection.ts';
import { narrowToTree } from '../indexed/narrow-tree.ts';
import type { Entry, Journals } from '../journals.ts';
import type { Form } from '../output/form.ts';
import { printNotes } from '../output/notes.ts';
import { recordPrinter } from '../output/records.ts';
import { remark } from '../output/stderr.ts';
import { paint, print, width } from '../output/stdout.ts';
import { commandOf, gapOf, placeOf, shortId, timeOf, userOf, wrapped } from '../output/text.ts';
import { type Caused, causedColumns, isCaused } from '../select/caused.ts';
import { causedRows } from '../select/caused-rows.ts';
import { checkedCondition } from '../select/condition.ts';
import { conditionOf, type Selection } from '../select/filter.ts';
import type { ConnectionOptions } from '../store/connect.ts';
import { entriesOf, recordsOf } from './chain.ts';

/** The options of `vcml tree`. */
export interface TreeOptions extends Selection, Caused, ConnectionOptions {
  readonly output: Form;
  /** the number of levels below a root */
  readonly depth: number;
  /** the number of records that are shown */
  readonly limit: number;
  /** Whether children that did the same are shown once, with their number. */
  readonly collapse: boolean;
}

/** A record with its level in the tree; the records that it caused follow it. */
interface Node {
  readonly row: number;
  readonly depth: number;
}

/** The records to show, and how many are left out. */
interface Forest {
  readonly nodes: readonly Node[];
  readonly deeper: number;
  readonly beyondLimit: number;
}

/** Prints what a record, or each record of a selection, caused as a tree. */
export async function tree(
  journals: Journals,
  id: string | undefined,
  options: TreeOptions,
): Promise<number> {
  const auditLogFor = auditLogAt(options.auditLog, options);
  const { graph, rows, chosen } = await select(journals, id, options, auditLogFor);
  if (rows.length === 0) throw new ForensicsError('negative', 'no record matches this selection');
  const forest = grow(graph, rootsOf(graph, rows, chosen), chosen, options);
  const entries = await entriesOf(
    journals,
    forest.nodes.map(({ row }) => row),
  );
  const log = await auditLogFor(recordsOf(entries));
  if (options.output === 'text') await printTree(forest, entries, options.collapse, log);
  else {
    const printer = recordPrinter(options.output);
    for (const entry of entries) await printer.record(entry);
    await printer.end();
  }
  const { deeper, beyondLimit } = forest;
  if (deeper > 0) remark(`${deeper} have children below --depth`);
  if (beyondLimit > 0) remark(`${beyondLimit} more are beyond --limit`);
  await printNotes(journals, log.summary);
  if (id !== undefined) await completenessIn(journals, options, 'links', rows[0]);
  return 0;
}

/** The rows of a tree's roots, and the test for rows that belong to it. */
async function select(
  journals: Journals,
  id: string | undefined,
  options: TreeOptions,
  auditLogFor: AuditLogFor,
) {
  const nowMs = Date.now();
  const areCaused = isCaused(options);
  const { sql, columns } = await checkedCondition(journals, options, nowMs);
  if (id === undefined && !areCaused) await narrowToSelection(journals, options, nowMs);
  if (id !== undefined && !areCaused && sql === conditionOf({}, 0).sql) {
    await narrowToTree(journals, id, options.depth);
    const graph = await Graph.load(journals, withNumbers(journals, [], true));
    return { graph, rows: [await graph.find(id)], chosen: undefined };
  }
  const needed = [...new Set(['action', ...causedColumns(options), ...columns])];
  const mayBeNarrowed = id === undefined && !areCaused && mayNarrow(options, nowMs);
  const graph = await Graph.load(journals, withNumbers(journals, needed, mayBeNarrowed));
  const exec = `NOT starts_with("action", 'journal.')`;
  const all = await causedRows(journals, graph, options, `${sql} AND ${exec}`, auditLogFor);
  const chosen = new Set(all);
  return { graph, rows: id === undefined ? all : [await graph.find(id, options.node)], chosen };
}

/**
 * Finds the rows of a selection whose cause is not in the selection. Of links in a circle, which is a fault
 * of the memory, the first row that leads there is one.
 */
function rootsOf(
  graph: Graph,
  rows: readonly number[],
  chosen: ReadonlySet<number> | undefined,
): readonly number[] {
  if (chosen === undefined || rows.length === 1) return rows;
  const roots: number[] = [];
  const isReached = new Set<number>();
  const causeOf = (row: number) => {
    const cause = graph.parentOf(row);
    return cause !== undefined && chosen.has(cause) ? cause : undefined;
  };
  for (const row of rows) {
    const climbed: number[] = [];
    let at: number | undefined = row;
    for (; at !== undefined && !isReached.has(at); at = causeOf(at)) {
      isReached.add(at);
      climbed.push(at);
    }
    // The way up ends here, or where it began.
    const top = climbed.at(-1);
    if (at === undefined && top !== undefined) roots.push(top);
    else if (at !== undefined && climbed.includes(at)) roots.push(at);
  }
  return roots.sort((a, b) => a - b);
}

/** Walks depth first, without recursion, because a chain may be long. */
function grow(
  graph: Graph,
  roots: readonly number[],
  chosen: ReadonlySet<number> | undefined,
  { depth: deepest, limit }: TreeOptions,
): Forest {
  const nodes: Node[] = [];
  const seen = new Set<number>();
  let deeper = 0;
  let beyondLimit = 0;
  const waiting: Node[] = roots.toReversed().map((row) => ({ row, depth: 0 }));
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    const { row, depth } = node;
    if (seen.has(row)) continue;
    seen.add(row);
    if (nodes.length < limit) nodes.push(node);
    else beyondLimit += 1;
    const children = graph.childrenOf(row).filter((child) => chosen?.has(child) ?? true);
    if (depth >= deepest) deeper += children.length > 0 ? 1 : 0;
    else for (const child of children.toReversed()) waiting.push({ row: child, depth: depth + 1 });
  }
  return { nodes, deeper, beyondLimit };
}

async function printTree(
  forest: Forest,
  entries: readonly Entry[],
  collapse: boolean,
  log: AuditLog,
) {
  const { nodes } = forest;
  const records = recordsOf(entries);
  const ends = endsOf(nodes);
  for (let at = 0; at < nodes.length; ) {
    const record = records[at];
    const depth = nodes[at]?.depth ?? 0;
    const end = ends[at] ?? at + 1;
    let next = end;
    let count = 1;
    if (collapse)
      for (; next < nodes.length && nodes[next]?.depth === depth; next = ends[next] ?? next + 1) {
        if (next !== end && depth === 0) break;
        if (!sameBranch(nodes, records, at, end, next, ends[next] ?? next + 1)) break;
        count += 1;
      }
    if (record !== undefined) await printLine(record, depth, count, log);
    if (count > 1) {
      for (let below = at + 1; below < end; below += 1) {
        const one = records[below];
        if (one !== undefined) await printLine(one, nodes[below]?.depth ?? 0, 1, log);
      }
      at = next;
    } else at += 1;
  }
}

async function printLine(
  record: StoredRecord,
  depth: number,
  count: number,
  { remarksOn }: AuditLog,
): Promise<void> {
  await print(lineOf(record, depth, count));
  for (const remark of remarksOn(record)) await print(wrapped(remark, ' '.repeat(24)));
}

/** For each node, the place behind the last node that it caused. */
function endsOf(nodes: readonly Node[]): number[] {
  const ends: number[] = new Array(nodes.length).fill(nodes.length);
  const open: number[] = [];
  for (const [at, { depth }] of nodes.entries()) {
    while (open.length > 0 && (nodes[open.at(-1) ?? 0]?.depth ?? 0) >= depth)
      ends[open.pop() ?? 0] = at;
    open.push(at);
  }
  return ends;
}

/**
 * Whether two branches did the same: equal objects, arguments, users, places and authorities in the same
 * order.
 */
function sameBranch(
  nodes: readonly Node[],
  records: readonly (StoredRecord | undefined)[],
  a: number,
  aEnd: number,
  b: number,
  bEnd: number,
): boolean {
  if (aEnd - a !== bEnd - b) return false;
  for (let i = 0; i < aEnd - a; i += 1) {
    if (nodes[a + i]?.depth !== nodes[b + i]?.depth) return false;
    if (doingOf(records[a + i]) !== doingOf(records[b + i])) return false;
  }
  return true;
}

function doingOf(record: StoredRecord | undefined): string {
  if (record === undefined) return '';
  const { object, uid, resource, attributes } = record;
  const args = attributes[KEYS.args] ?? null;
  // Another authority is another user, however much the commands are alike.
  const permitted = [KEYS.authorityType, KEYS.authorityId].map((key) => attributes[key] ?? null);
  return writeExact([object, args, uid ?? null, resource[KEYS.containerId] ?? null, ...permitted]);
}

/** Returns one line that fits the terminal: what it is, then who, where and when. */
function lineOf(record: StoredRecord, depth: number, count: number): string {
  const branch = depth === 0 ? '' : `${'  '.repeat(Math.min(depth, 20) - 1)}└ `;
  const deep = depth > 20 ? `(${depth}) ` : '';
  const name = visible(`${record.comm ?? '?'}[${record.pid ?? '?'}]`);
  const times = count > 1 ? ` ×${count}` : '';
  const command = record.action === 'exec' ? commandOf(record) : visible(record.action);
  const head = `${shortId(record.id)} ${timeOf(record.timestamp).slice(11, 23)} ${branch}${deep}${name}${times} `;
  const room = Math.max(16, width() - head.length);
  const shown =
    command.length > room
      ? `${command.slice(0, room - 1).replace(/[\ud800-\udbff]$/, '')}…`
      : command;
  const line = `${paint('dim', head.slice(0, 21))}${head.slice(21)}${shown}\n`;
  if (depth > 0) return line;
  const cause =
    record.parentCause === undefined ? `⁇ ${gapOf(record)}` : `← ${shortId(record.parentCause)}`;
  const day = timeOf(record.timestamp).slice(0, 10);
  const title = wrapped(`${day}  ${userOf(record)}  ${placeOf(record)}  ${cause}`, '');
  return `${paint('bold', title.trimEnd())}\n${line}`;
}
