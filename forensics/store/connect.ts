import { addAbortListener } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  type ClickHouseClient,
  ClickHouseLogLevel,
  type ClickHouseSettings,
  createClient,
  type DataFormat,
  type ResultSet,
} from '@clickhouse/client';
import { ForensicsError } from '../errors.ts';
import { type Address, parseAddress } from './address.ts';

/** How a store is reached, from the command line. */
export interface ConnectionOptions {
  readonly storePasswordFile?: string;
  readonly storeCa?: string;
  readonly storeCert?: string;
  readonly storeKey?: string;
  /** ends questions, on the server, too */
  readonly signal?: AbortSignal;
}

/** A query, with the values of its parameters. */
interface Query {
  readonly query: string;
  readonly query_params?: Record<string, unknown>;
}

/** A connection to a store. */
export interface Store extends AsyncDisposable {
  readonly address: Address;
  /** Runs a statement that answers nothing. */
  run(statement: string): Promise<void>;
  /** Runs a query, and returns its rows. */
  rows<Row>(query: string, parameters?: Readonly<Record<string, unknown>>): Promise<Row[]>;
  /** Runs a query, and returns what the server writes in a format. */
  text(query: string, format: DataFormat): Promise<string>;
  /** Runs a query, and yields its rows as they come. */
  stream<Row>(query: string): AsyncGenerator<readonly Row[]>;
}

/** A store that does not answer within this time is given up. */
const TIMEOUT_S = 60;
/** How long records may come, which is longer where somebody reads them, and an audit may take. */
export const STREAM_S = 3600;

/** What a server does for a query whose client is gone, or that takes too long. */
const limits = (seconds: number): ClickHouseSettings => ({
  // Only of a query that can write nothing does the server notice that its client is gone.
  readonly: '2',
  cancel_http_readonly_queries_on_client_close: 1,
  max_execution_time: seconds,
});
const SHORTER = 'name a shorter time with --since and --until';
/** A user who may change no settings has those that an administrator gave them. */
const FIXED: ReadonlySet<string> = new Set(['READONLY', 'SETTING_CONSTRAINT_VIOLATION']);

/** Prepares a connection; the first statement opens it. No answer may take longer than `patience`, in s. */
export function connect(text: string, options: ConnectionOptions, patience = TIMEOUT_S): Store {
  return connectTo(parseAddress(text), options, patience);
}

/** Prepares a connection to what an address names. */
export function connectTo(
  address: Address,
  options: ConnectionOptions,
  patience = TIMEOUT_S,
): Store {
  const client = createClient({
    url: address.url,
    username: address.user,
    password: passwordFrom(options),
    application: 'vcml',
    request_timeout: 1000 * STREAM_S,
    log: { level: ClickHouseLogLevel.OFF },
    ...tlsFrom(options),
  });
  const { signal } = options;
  let areAllowed: Promise<boolean> | undefined;
  const ask = async <Format extends DataFormat>(query: Query, format: Format, seconds: number) => {
    areAllowed ??= allowsLimits(client);
    const settings = (await areAllowed) ? limits(seconds) : {};
    // The client does not see that a signal is aborted already.
    signal?.throwIfAborted();
    return client.query({
      ...query,
      format,
      clickhouse_settings: settings,
      ...(signal && { abort_signal: signal }),
    });
  };
  return {
    address,
    run: (query) => explained(address, () => client.command({ query })).then(() => {}),
    rows: <Row>(query: string, parameters = {}) =>
      explained(address, async () => {
        const asked = { query, query_params: { ...parameters } };
        const answer = await ask(asked, 'JSONEachRow', patience);
        using _ = closedBy(signal, answer);
        return await answer.json<Row>();
      }),
    text: (query, format) =>
      explained(address, async () => {
        const answer = await ask({ query }, format, patience);
        using _ = closedBy(signal, answer);
        return await answer.text();
      }),
    stream: (query) => streamOf(address, signal, () => ask({ query }, 'JSONEachRow', STREAM_S)),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** Closes an answer when the signal is aborted: the client itself heeds it only until the answer begins. */
function closedBy(
  signal: AbortSignal | undefined,
  answer: { close(): void },
): Disposable | undefined {
  return signal && addAbortListener(signal, () => answer.close());
}

async function allowsLimits(client: ClickHouseClient): Promise<boolean> {
  try {
    await client.command({ query: 'SELECT 1', clickhouse_settings: limits(TIMEOUT_S) });
    return true;
  } catch (error) {
    if (FIXED.has((error as { type?: string }).type ?? '')) return false;
    throw error;
  }
}

async function* streamOf<Row>(
  address: Address,
  signal: AbortSignal | undefined,
  ask: () => Promise<ResultSet<'JSONEachRow'>>,
): AsyncGenerator<readonly Row[]> {
  const answer = await explained(address, ask);
  using _ = closedBy(signal, answer);
  const chunks = answer.stream<Row>()[Symbol.asyncIterator]();
  for (;;) {
    const { value, done } = await explained(address, () => chunks.next());
    if (done === true) return;
    yield value.map((row: { json(): Row }) => row.json());
  }
}

function passwordFrom({ storePasswordFile }: ConnectionOptions): string {
  if (storePasswordFile === undefined) return process.env.VCML_STORE_PASSWORD ?? '';
  return fileFor('--store-password-file', storePasswordFile)
    .toString()
    .replace(/\r?\n$/, '');
}

function tlsFrom({ storeCa, storeCert, storeKey }: ConnectionOptions) {
  if ((storeCert === undefined) !== (storeKey === undefined))
    throw new ForensicsError('usage', '--store-cert and --store-key belong together');
  if (storeCa === undefined && storeCert === undefined) return {};
  if (storeCa === undefined)
    throw new ForensicsError('usage', '--store-cert needs --store-ca, the authority of the server');
  const ca = fileFor('--store-ca', storeCa);
  if (storeCert === undefined || storeKey === undefined) return { tls: { ca_cert: ca } };
  const [cert, key] = [fileFor('--store-cert', storeCert), fileFor('--store-key', storeKey)];
  return { tls: { ca_cert: ca, cert, key } };
}

function fileFor(option: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ForensicsError('usage', `${option}: ${(error as Error).message}`, { cause: error });
  }
}

/** Turns what a server or the network answers into one sentence. */
async function explained<T>({ url, user }: Address, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const { message, type, code } = error as Error & { type?: string; code?: string };
    const at = `ClickHouse at ${url}`;
    const why = reason(type, message, user);
    const sentence =
      why === undefined ? `${at} cannot be reached: ${message || code}` : `${at} ${why}`;
    throw new ForensicsError('unreadable', sentence, { cause: error });
  }
}

function reason(type: string | undefined, message: string, user: string): string | undefined {
  if (/Port \d+ is for clickhouse-client program/.test(message) || /^Parse Error/.test(message))
    return "does not speak HTTP: name the port of ClickHouse's HTTP interface, which is mostly 8123";
  if (type === 'AUTHENTICATION_FAILED' || type === 'REQUIRED_PASSWORD')
    return `refuses the user ${user}: name the file with the password with --store-password-file, or set VCML_STORE_PASSWORD`;
  if (message === 'Timeout error.') return `did not answer: ${SHORTER}`;
  if (type === undefined) return undefined;
  if (type === 'TIMEOUT_EXCEEDED' || type === 'MEMORY_LIMIT_EXCEEDED')
    return `does not answer this within its limits: ${SHORTER} (${message.split('\n')[0]})`;
  return `answers: ${message.split('\n')[0]}`;
}
