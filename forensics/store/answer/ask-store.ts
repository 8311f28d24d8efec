import type { Opening } from '../../commands/reading.ts';
import { ForensicsError } from '../../errors.ts';
import type { Answers } from '../../inputs/find.ts';
import type { Temporary } from '../../inputs/temporary.ts';
import { Journals } from '../../journals.ts';
import { timeRangeOf } from '../../select/filter.ts';
import { storeCompleteness } from '../arrivals/completeness.ts';
import { type ConnectionOptions, connect, type Store } from '../connect.ts';
import { refuseOtherSchema } from '../refuse.ts';
import { rowsFor } from './fetch.ts';
import { NodeFiles } from './node-files.ts';
import { nodesOf, type Question } from './question.ts';
import type { Row } from './record-line.ts';

/** Opens what a store answers to a question: the lines of each node, in a temporary file. */
export function askStore(address: string, options: ConnectionOptions, question: Question): Opening {
  if (question.id === undefined && question.since === undefined)
    throw new ForensicsError(
      'usage',
      'name a time with --since, because a store has the records of all nodes; --since 100w reads everything',
    );
  return {
    percentage: 0,
    async open(temporary) {
      await using store = connect(address, options);
      await refuseOtherSchema(store);
      const answers = await answersOf(store, question, temporary);
      return Journals.open(answers, undefined, temporary);
    },
  };
}

async function answersOf(store: Store, question: Question, temporary: Temporary): Promise<Answers> {
  const files = new NodeFiles(store, temporary);
  // Causes come behind their effects; the records of a selection come in their order.
  const isLinked = question.id !== undefined || question.causes === true;
  const linked: Row[] = [];
  const nowMs = Date.now();
  for await (const rows of rowsFor(store, question, nowMs))
    if (isLinked) linked.push(...rows);
    else for (const row of rows) await files.write(row);
  for (const row of linked.toSorted(byTime)) await files.write(row);
  const answers = await files.close();
  const nodes = question.id === undefined ? nodesOf(question) : files.nodes;
  answers.notes.push(await storeCompleteness(store, nodes, timeRangeOf(question, nowMs)));
  return answers;
}

function byTime(one: Row, other: Row): number {
  return Number(BigInt(one.timestamp) - BigInt(other.timestamp));
}
