import { ForensicsError } from '../errors.ts';
import { type AuditLogFor, auditLogAt } from '../exec-requests/audit-log.ts';
import { isStream } from '../inputs/read/stream.ts';
import { Temporary } from '../inputs/temporary.ts';
import type { Journals } from '../journals.ts';
import { showProgress } from '../output/progress.ts';
import { remark } from '../output/stderr.ts';
import { flush, print } from '../output/stdout.ts';
import { isLoopback } from '../serve/access.ts';
import { FilesMemory } from '../serve/memory/files.ts';
import { StoreMemory } from '../serve/memory/store.ts';
import type { Memory } from '../serve/memory.ts';
import { Readings } from '../serve/readings.ts';
import { serve as answer } from '../serve/server.ts';
import { isStore, withoutPassword } from '../store/address.ts';
import type { ConnectionOptions } from '../store/connect.ts';
import { filesOf } from './files.ts';

/** A store has the records of months. */
const STORE_SINCE = '24h';

/** The options of `vcml serve`. */
export interface ServeOptions extends ConnectionOptions {
  /** ADDRESS:PORT */
  readonly listen: string;
  readonly allowRemote?: boolean;
  readonly title?: string;
  readonly auditLog?: string;
  /** from when on a store's records are shown unless a question names another time */
  readonly since?: string;
}

/** Serves records to a browser until SIGINT or SIGTERM. */
export async function serve(inputs: readonly string[], options: ServeOptions): Promise<number> {
  const { host, port } = placeIn(options.listen);
  const isRemote = !isLoopback(options.listen.replace(/:\d+$/, ''));
  if (isRemote && options.allowRemote !== true)
    throw new ForensicsError(
      'usage',
      `${host} can be reached from other machines: forward a port instead (ssh -L 7474:127.0.0.1:7474 HOST), or add --allow-remote`,
    );
  const read = async () => ({
    auditLogFor: await auditLogIn(options),
    memory: await memoryOf(inputs, options),
  });
  const isOnce = [...inputs, options.auditLog ?? ''].some(isStream) || inputs.some(isStore);
  await using readings = new Readings(await read(), isOnce ? undefined : read);
  const stop = new AbortController();
  // A second signal ends it at once.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => stop.abort());
  const title = options.title ?? titleOf(inputs);
  const served = { readings, title, host, port, isRemote, stop: stop.signal };
  await answer(served, async (address) => {
    await print(`vcml serve: ${address}\n`);
    await flush();
    if (isRemote)
      remark(
        `${host} can be reached from other machines without encryption, and who sees the address can read all records: prefer ssh -L and --listen 127.0.0.1:${port}`,
      );
  });
  // Only the end of the process ends a reading.
  if (readings.isReading) process.exit(0);
  return 0;
}

/** Reads a file once, and asks a table for each answer. */
async function auditLogIn(options: ServeOptions): Promise<AuditLogFor> {
  const logFor = auditLogAt(options.auditLog, options);
  const log = await logFor([]);
  if (options.auditLog === undefined || !isStore(options.auditLog)) return logFor;
  const summary = `${withoutPassword(options.auditLog)} is asked about each record that is shown`;
  return async (records, signal) =>
    records.length === 0 ? { ...log, summary } : logFor(records, signal);
}

async function memoryOf(inputs: readonly string[], options: ServeOptions): Promise<Memory> {
  const store = inputs.find(isStore);
  if (store !== undefined) {
    if (inputs.length > 1)
      throw new ForensicsError('usage', `${withoutPassword(store)}: a store is served alone`);
    return StoreMemory.open(store, options, options.since ?? STORE_SINCE);
  }
  if (options.since !== undefined)
    throw new ForensicsError('usage', '--since of serve is for a store; the page selects times');
  const opening = await filesOf(inputs);
  const temporary = new Temporary();
  let journals: Journals | undefined;
  const stopProgress = showProgress(() => ({
    percentages: [journals?.percentage ?? opening.percentage],
    copied: temporary.bytes,
  }));
  try {
    journals = await opening.open(temporary);
    return await FilesMemory.read(journals);
  } catch (error) {
    journals?.close();
    temporary.close();
    throw error;
  } finally {
    stopProgress();
  }
}

function placeIn(listen: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^(\[[\da-f:.]+\]|[\w.-]+):(\d{1,5})$/i.exec(listen) ?? [];
  if (host === undefined || Number(port) > 65_535)
    throw new ForensicsError(
      'usage',
      `--listen ${JSON.stringify(listen)}: must be ADDRESS:PORT, such as 127.0.0.1:7474`,
    );
  return { host: host.replaceAll(/[[\]]/g, ''), port: Number(port) };
}

function titleOf(inputs: readonly string[]): string {
  const [first] = inputs;
  if (first === undefined) return 'The journal of this node';
  const more = inputs.length > 1 ? ` and ${inputs.length - 1} more` : '';
  return `${isStore(first) ? withoutPassword(first) : first}${more}`;
}
