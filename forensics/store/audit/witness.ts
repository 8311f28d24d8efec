import { isObject, parseExact } from '../../../record/exact-json.ts';
import type { Asked } from '../../audit/checkpoints/asked.ts';
import type { Witness } from '../../audit/checkpoints/witness.ts';
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
  asked: Asked,
  options: ConnectionOptions,
): Promise<void> {
  const { nodes } = asked;
  if (nodes.size === 0) return;
  await using store = connect(address, options);
  await refuseOtherSchema(store);
  const isAsked = `node IN (${literals(nodes)}) AND action = 'journal.checkpoint'`;
  const place = `${store.address.url.replace(/^https?/, 'clickhouse')}/${store.address.database}`;
  // The first of each segment and epoch stays in `journal`, for as long as there is the store. A later row
  // has a lower version, and it has the same one in both tables.
  const wanted = { tables: ['records', 'journal'], key: KEY, order: 'r.version DESC' };
  for await (const rows of store.stream<Row>(selectRows(store, isAsked, wanted)))
    for (const row of rows) {
      const record = parseExact(lineOf(row));
      if (isObject(record)) witness.add(record, `${place}#${row.node}`);
    }
}
