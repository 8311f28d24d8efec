import type { Opening } from '../../commands/reading.ts';
import { ForensicsError } from '../../errors.ts';
import { auditLogAt } from '../../exec-requests/audit-log.ts';
import type { Answers } from '../../inputs/find.ts';
import { isStream } from '../../inputs/read/stream.ts';
import type { Temporary } from '../../inputs/temporary.ts';
import { Journals } from '../../journals.ts';
import { isCaused } from '../../select/caused.ts';
import { timeRangeOf } from '../../select/filter.ts';
import { completenessFor, storeCompleteness } from '../arrivals/completeness.ts';
import { type ConnectionOptions, connect, type Store } from '../connect.ts';
import { refuseOtherSchema } from '../refuse.ts';
import { rowsFor } from './fetch.ts';
import { NodeFiles } from './node-files.ts';
import { rowsOfTrace, uncertaintyIn } from './of-trace.ts';
import { rowsOfUser, withoutIdIn } from './of-user.ts';
import type { Question } from './question.ts';
import { lineOf, type Row } from './record-line.ts';

/** Records that come in another order than that of their times wait in memory. */
const LINKED_MAX = 100_000;

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
      const nowMs = Date.now();
      const answered = rowsOf(store, question, options, nowMs);
      const { answers, nodes } = await answersOf(store, question, answered, temporary);
      const uncertain =
        question.trace === undefined ? [] : await uncertaintyIn(store, question, nowMs);
      const { kubernetesUser, id } = question;
      const withoutId =
        kubernetesUser === undefined || id !== undefined
          ? undefined
          : await withoutIdIn(store, question, nowMs);
      const times = timeRangeOf(question, nowMs);
      const completeness =
        nodes === undefined
          ? await completenessFor(store, question, times)
          : await storeCompleteness(store, nodes, times);
      const journals = await Journals.open(answers, undefined, temporary);
      journals.completeness = completeness;
      journals.notes = [...journals.notes, ...uncertain];
      journals.withoutId = withoutId;
      return journals;
    },
  };
}

/** Returns the rows that answer a question. What a record with an id caused is asked for as without a user. */
function rowsOf(
  store: Store,
  question: Question,
  options: ConnectionOptions,
  nowMs: number,
): AsyncGenerator<readonly Row[]> {
  const { kubernetesUser, trace, auditLog, id } = question;
  if (trace !== undefined && id === undefined)
    return rowsOfTrace(store, { ...question, trace }, nowMs);
  if (kubernetesUser === undefined || id !== undefined) return rowsFor(store, question, nowMs);
  if (auditLog !== undefined && isStream(auditLog))
    throw new ForensicsError(
      'usage',
      `${auditLog}: with --kubernetes-user and a store, the audit log is read twice: write it to a file first`,
    );
  return rowsOfUser(store, { ...question, kubernetesUser }, auditLogAt(auditLog, options), nowMs);
}

/** Returns the answers, and the nodes that they are about; undefined: those of the question. */
async function answersOf(
  store: Store,
  question: Question,
  answered: AsyncIterable<readonly Row[]>,
  temporary: Temporary,
): Promise<{ readonly answers: Answers; readonly nodes: readonly string[] | undefined }> {
  const files = new NodeFiles(store, temporary);
  // Causes come behind their effects; the records of a selection come in their order.
  const { id, causes } = question;
  const isLinked = id !== undefined || causes === true || isCaused(question);
  const linked: Linked[] = [];
  for await (const rows of answered)
    for (const row of rows)
      if (isLinked) linked.push(linkedOf(row, linked.length));
      else await files.write(row);
  for (const { node, line } of linked.toSorted(byTime)) await files.add(node, line);
  const answers = await files.close();
  // Where no node has the record, any node may have lost it.
  const isFound = id !== undefined && files.nodes.length > 0;
  return { answers, nodes: isFound ? files.nodes : undefined };
}

/** A record that was found by a link. */
interface Linked {
  readonly node: string;
  readonly timestamp: bigint;
  readonly line: string;
}

/** Throws if so many were found before it that the memory would not suffice. */
function linkedOf(row: Row, before: number): Linked {
  if (before >= LINKED_MAX)
    throw new ForensicsError(
      'usage',
      `more than ${LINKED_MAX} records are linked: ask for one further down, or for a shorter time`,
    );
  return { node: row.node, timestamp: BigInt(row.timestamp), line: lineOf(row) };
}

function byTime(one: Linked, other: Linked): number {
  return Number(one.timestamp - other.timestamp);
}
