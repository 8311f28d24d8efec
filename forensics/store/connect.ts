import { addAbortListener } from 'node:events';
import {
  type ClickHouseClient,
  ClickHouseLogLevel,
  type ClickHouseSettings,
  createClient,
  type DataFormat,
} from '@clickhouse/client';
import { ForensicsError } from '../errors.ts';
import { type Address, parseAddress } from './address.ts';
import { type CredentialOptions, credentialsFrom } from './credentials.ts';
import { tlsReason } from './tls-reason.ts';

/** How a store is reached, from the command line. */
export interface ConnectionOptions extends CredentialOptions {
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

/** Where a store is, and how it is reached. */
interface Place {
  readonly address: Address;
  readonly options: ConnectionOptions;
}

/** A store that does not answer within this time is given up. */
const TIMEOUT_S = 60;
/** How long records may come, which is longer where somebody reads them, and an audit may take. */
export const STREAM_S = 3600;

/** How much longer than the server a client waits for its answer, or for its error. */
const SLACK_S = 5;

/** What a server does for a query whose client is gone, or that takes too long: an answer is whole, or an error. */
const limits = (seconds: number): ClickHouseSettings => ({
  // Only of a query that can write nothing does the server notice that its client is gone.
  readonly: '2',
  cancel_http_readonly_queries_on_client_close: 1,
  max_execution_time: seconds,
  skip_unavailable_shards: 0,
  timeout_overflow_mode: 'throw',
  read_overflow_mode: 'throw',
  result_overflow_mode: 'throw',
  sort_overflow_mode: 'throw',
  group_by_overflow_mode: 'throw',
  distinct_overflow_mode: 'throw',
  set_overflow_mode: 'throw',
  join_overflow_mode: 'throw',
  transfer_overflow_mode: 'throw',
});
const SHORTER = 'name a shorter time with --since and --until';
const NO_ANSWER = `did not answer: ${SHORTER}`;
/**
 * Asks in one row for the settings of a user with which a server leaves rows out. A query with a limit of
 * the user sees the value 0.
 */
const CUTTING = `SELECT arrayStringConcat(groupArray(concat(name, ' = ', value)), ', ') AS cutting
  FROM system.settings
  WHERE position(name, '_overflow_mode') > 0 AND value != 'throw'
    OR name = 'skip_unavailable_shards' AND value != '0'
    OR name IN ('limit', 'offset') AND changed
    OR name IN ('additional_table_filters', 'additional_result_filter') AND value NOT IN ('', '{}')`;
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
    application: 'vcml',
    request_timeout: 1000 * STREAM_S,
    log: { level: ClickHouseLogLevel.OFF },
    ...credentialsFrom(options, address),
  });
  const place: Place = { address, options };
  let areAllowed: Promise<boolean> | undefined;
  const ask = async <Format extends DataFormat>(query: Query, format: Format, wait: Wait) => {
    areAllowed ??= allowsLimits(address, client, patience, wait.signal);
    const settings = (await areAllowed) ? limits(wait.seconds) : {};
    // The client does not see that a signal is aborted already.
    wait.signal.throwIfAborted();
    return client.query({
      ...query,
      format,
      clickhouse_settings: settings,
      abort_signal: wait.signal,
    });
  };
  return {
    address,
    run: (query) => explained(place, () => client.command({ query })).then(() => {}),
    async rows<Row>(query: string, parameters = {}) {
      using wait = new Wait(patience, options.signal);
      const read = async () => {
        const asked = { query, query_params: { ...parameters } };
        const answer = await ask(asked, 'JSONEachRow', wait);
        using _ = closedBy(wait.signal, answer);
        return await answer.json<Row>();
      };
      return await explained(place, read, wait);
    },
    async text(query, format) {
      using wait = new Wait(patience, options.signal);
      const read = async () => {
        const answer = await ask({ query }, format, wait);
        using _ = closedBy(wait.signal, answer);
        return await answer.text();
      };
      return await explained(place, read, wait);
    },
    async *stream<Row>(query: string) {
      using wait = new Wait(STREAM_S, options.signal);
      const answer = await explained(place, () => ask({ query }, 'JSONEachRow', wait), wait);
      using _ = closedBy(wait.signal, answer);
      const chunks = answer.stream<Row>()[Symbol.asyncIterator]();
      for (;;) {
        const { value, done } = await explained(place, () => chunks.next(), wait);
        if (done === true) return;
        yield value.map((row: { json(): Row }) => row.json());
      }
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** The time that an answer may take; its signal is aborted when that is over, or with another signal. */
class Wait implements Disposable {
  readonly seconds: number;
  /** Whether the time is over. */
  isOver = false;
  readonly #ending = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #other: Disposable | undefined;

  constructor(seconds: number, other: AbortSignal | undefined) {
    this.seconds = seconds;
    this.#timer = setTimeout(
      () => {
        this.isOver = true;
        this.#ending.abort();
      },
      1000 * (seconds + SLACK_S),
    ).unref();
    this.#other = other && addAbortListener(other, () => this.#ending.abort(other.reason));
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#other?.[Symbol.dispose]();
  }
}

/** Closes an answer when the signal is aborted: the client itself heeds it only until the answer begins. */
function closedBy(signal: AbortSignal, answer: { close(): void }): Disposable {
  return addAbortListener(signal, () => answer.close());
}

/** Whether questions may come with limits; refuses a user with settings that could cut an answer. */
async function allowsLimits(
  address: Address,
  client: ClickHouseClient,
  patience: number,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await refuseCutting(address, client, limits(patience), signal);
    return true;
  } catch (error) {
    if (!FIXED.has((error as { type?: string }).type ?? '')) throw error;
  }
  await refuseCutting(address, client, {}, signal);
  return false;
}

async function refuseCutting(
  { url, user }: Address,
  client: ClickHouseClient,
  clickhouse_settings: ClickHouseSettings,
  abort_signal: AbortSignal,
): Promise<void> {
  const answer = await client.query({
    query: CUTTING,
    format: 'JSONEachRow',
    clickhouse_settings,
    abort_signal,
  });
  const [row] = await answer.json<{ cutting: string }>();
  // One row is there unless a setting skips it.
  const { cutting = 'offset' } = row ?? {};
  if (cutting === '') return;
  throw new ForensicsError(
    'unreadable',
    `ClickHouse at ${url} may leave rows out of an answer without a word: take ${cutting} from the profile of the user ${user}`,
  );
}

/** Turns what a server or the network answers into one sentence. */
async function explained<T>(
  { address: { url, user }, options }: Place,
  ask: () => Promise<T>,
  wait?: Wait,
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ForensicsError) throw error;
    const { message, type, code } = error as Error & { type?: string; code?: string };
    const at = `ClickHouse at ${url}`;
    const why =
      wait?.isOver === true
        ? NO_ANSWER
        : (reason(type, message, user) ?? tlsReason({ code, message }, url, options));
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
  if (message === 'Timeout error.') return NO_ANSWER;
  if (type === undefined) return undefined;
  if (type === 'TIMEOUT_EXCEEDED' || type === 'MEMORY_LIMIT_EXCEEDED')
    return `does not answer this within its limits: ${SHORTER} (${message.split('\n')[0]})`;
  return `answers: ${message.split('\n')[0]}`;
}
