import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { counted } from '../../../record/describe.ts';
import type { Opening } from '../../commands/reading.ts';
import { ForensicsError } from '../../errors.ts';
import type { Answers } from '../../inputs/find.ts';
import type { Temporary } from '../../inputs/temporary.ts';
import { Journals } from '../../journals.ts';
import { timeRangeOf } from '../../select/filter.ts';
import { type ConnectionOptions, connect, type Store } from '../connect.ts';
import { refuseOtherSchema } from '../refuse.ts';
import { completenessOf } from './completeness.ts';
import { rowsFor } from './fetch.ts';
import { nodesOf, type Question } from './question.ts';
import { lineOf, type Row } from './record-line.ts';

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
  answers.notes.push(await completenessOf(store, nodes, timeRangeOf(question, nowMs)));
  return answers;
}

function byTime(one: Row, other: Row): number {
  return Number(BigInt(one.timestamp) - BigInt(other.timestamp));
}

/** One file for each node, whose lines are a journal. */
class NodeFiles {
  readonly #shown: string;
  readonly #temporary: Temporary;
  readonly #files = new Map<string, { readonly path: string; readonly stream: WriteStream }>();

  constructor({ address }: Store, temporary: Temporary) {
    this.#shown = `${address.url.replace(/^https?/, 'clickhouse')}/${address.database}`;
    this.#temporary = temporary;
  }

  get nodes(): string[] {
    return [...this.#files.keys()].filter((node) => node !== '');
  }

  async write(row: Row): Promise<void> {
    const { stream } = this.#fileOf(row.node);
    if (!stream.write(`${lineOf(row)}\n`)) await once(stream, 'drain');
  }

  async close(): Promise<Answers> {
    const nodes = this.#files.size;
    // Without any record, there is still an answer.
    if (nodes === 0) this.#fileOf('');
    for (const { stream } of this.#files.values()) {
      stream.end();
      await once(stream, 'finish');
    }
    const found = [...this.#files].map(([node, { path }]) => ({
      path: node === '' ? this.#shown : `${this.#shown}#${node}`,
      journal: path,
      real: path,
      isBeside: false,
    }));
    return { found, problems: [], notes: [`records of ${counted(nodes, 'node')} were found`] };
  }

  #fileOf(node: string) {
    const known = this.#files.get(node);
    if (known !== undefined) return known;
    const path = this.#temporary.file();
    const made = { path, stream: createWriteStream(path, { flags: 'wx', mode: 0o600 }) };
    this.#files.set(node, made);
    return made;
  }
}
