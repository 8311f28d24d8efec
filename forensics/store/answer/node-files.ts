import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import type { Answers } from '../../inputs/find.ts';
import type { Temporary } from '../../inputs/temporary.ts';
import type { Store } from '../connect.ts';
import { lineOf, type Row } from './record-line.ts';

/** One file for each node, whose lines are a journal. */
export class NodeFiles {
  readonly #shown: string;
  readonly #temporary: Temporary;
  readonly #files = new Map<string, { readonly path: string; readonly stream: WriteStream }>();

  readonly #isExported: boolean;

  constructor({ address }: Store, temporary: Temporary, { isExported = false } = {}) {
    this.#isExported = isExported;
    this.#shown = `${address.url.replace(/^https?/, 'clickhouse')}/${address.database}`;
    this.#temporary = temporary;
  }

  get nodes(): string[] {
    return [...this.#files.keys()].filter((node) => node !== '');
  }

  async write(row: Row): Promise<void> {
    await this.add(row.node, lineOf(row));
  }

  /** Adds the line of a record. */
  async add(node: string, line: string): Promise<void> {
    const { stream } = this.#fileOf(node);
    if (!stream.write(`${line}\n`)) await once(stream, 'drain');
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
      isExported: this.#isExported,
    }));
    const notes = [
      ...(nodes === 0 ? ['no record was found'] : []),
      // That all are of one node is what the records themselves say.
      ...(nodes > 1 ? [`records of ${nodes} nodes were found`] : []),
    ];
    return { found, problems: [], notes };
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
