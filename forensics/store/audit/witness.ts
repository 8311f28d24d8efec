import { isObject, parseExact } from '../../../record/exact-json.ts';
import { KEYS } from '../../../record/fields.ts';
import type { Witness } from '../../audit/checkpoints/witness.ts';
import { findFiles } from '../../inputs/find.ts';
import { readLines } from '../../inputs/read/lines.ts';
import { selectRows } from '../answer/fetch.ts';
import { lineOf, type Row } from '../answer/record-line.ts';
import { type ConnectionOptions, connect } from '../connect.ts';
import { refuseOtherSchema } from '../refuse.ts';
import { literals } from '../schema/literal.ts';

/** Rows that contradict each other stay beside each other. */
const KEY = 'node, timestamp, id, content';

/** Reads the checkpoints that a store has of the nodes whose journals these are. */
export async function readStoreWitness(
  witness: Witness,
  address: string,
  inputs: readonly string[],
  options: ConnectionOptions,
): Promise<void> {
  const { nodes, since } = await nodesIn(inputs);
  if (nodes.length === 0) return;
  await using store = connect(address, options);
  await refuseOtherSchema(store);
  const isAsked = `node IN (${literals(nodes)}) AND action = 'journal.checkpoint'`;
  const place = `${store.address.url.replace(/^https?/, 'clickhouse')}/${store.address.database}`;
  for (const [table, condition] of [
    // The first of each segment and epoch, for as long as there is the store.
    ['journal', isAsked],
    ['records', `${isAsked} AND timestamp >= ${since}`],
  ] as const) {
    const query = selectRows(store, condition, { table, key: KEY, order: 'r.version DESC' });
    for await (const rows of store.stream<Row>(query))
      for (const row of rows) {
        const record = parseExact(lineOf(row));
        if (isObject(record)) witness.add(record, `${place}#${row.node}`);
      }
  }
}

/** Returns the nodes of journals, and the earliest time at which one of these begins. */
async function nodesIn(inputs: readonly string[]): Promise<{ nodes: string[]; since: bigint }> {
  const first = new Map<string, string>();
  for (const { journal, real } of findFiles(inputs).found)
    if (real !== undefined && !first.has(journal)) first.set(journal, real);
  const nodes = new Set<string>();
  let since: bigint | undefined;
  for (const path of first.values())
    for await (const { text } of readLines(path)) {
      const { node, time } = headOf(text);
      if (node === undefined) continue;
      nodes.add(node);
      since = since === undefined || time < since ? time : since;
      break;
    }
  return { nodes: [...nodes], since: since ?? 0n };
}

/** Returns the node and the time of a line, as the store has them. */
function headOf(text: string): { node: string | undefined; time: bigint } {
  try {
    const json = parseExact(text);
    if (!isObject(json) || !isObject(json.resource)) return { node: undefined, time: 0n };
    const node = json.resource[KEYS.nodeName] ?? json.resource[KEYS.hostName];
    return {
      node: typeof node === 'string' ? node : undefined,
      time: BigInt(String(json.timestamp)),
    };
  } catch {
    return { node: undefined, time: 0n };
  }
}
