import type { Json } from '../../../record/exact-json.ts';
import { type Selection, timeRangeOf } from '../../select/filter.ts';
import type { Tables } from '../../select/tables.ts';
import type { Answered, Question } from './question.ts';

const BARS = 60;
const BARS_MAX = 500;
const LONG_NS = 2n ** 62n;
const NONE = { records: 0, gaps: 0 };
/** In a shorter part of the time, a node that executes nothing is nothing special. */
const SILENCE_NS = 60_000_000_000n;

/** A part of the time of a histogram. */
interface Bars {
  readonly from: bigint;
  readonly width: bigint;
  /** Whether a difference of times may have more than 64 bits, which are slower. */
  readonly isLong: boolean;
}

/** Counts records by time, with losses and the nodes that are silent then. */
export async function histogram({ memory, parameters, signal }: Question): Promise<Answered> {
  const { selection } = parameters;
  const count = BigInt(parameters.number('bars', BARS, BARS_MAX));
  const range = await memory.ask(selection, signal, rangeIn);
  const { since = range?.[0], until = range && range[1] + 1n } = timeRangeOf(selection, Date.now());
  if (since === undefined || until === undefined || since >= until)
    return { from: null, to: null, nodes: 0, bars: [] };
  const width = (until - since + count - 1n) / count;
  const bars = { from: since, width, isLong: until - since >= LONG_NS };
  const matching = await memory.ask(selection, signal, (tables) => matchingIn(tables, bars));
  const everything = await memory.ask(ofPlace(selection), signal, (tables) =>
    everythingIn(tables, bars),
  );
  const nodes = await memory.ask(ofPlace(selection), signal, nodesIn);
  return {
    from: since,
    to: until,
    nodes,
    bars: Array.from({ length: Number((until - since + width - 1n) / width) }, (_, index) => {
      const { present = 0, lossRecords = 0, lost = 0 } = everything.get(index) ?? {};
      const [from, to] = [since + BigInt(index) * width, since + BigInt(index + 1) * width];
      return {
        from,
        to: to > until ? until : to,
        ...(matching.get(index) ?? NONE),
        lossRecords,
        lost,
        silent: width < SILENCE_NS ? 0 : nodes - present,
      };
    }),
  };
}

/** Losses and silence are about nodes and times, whatever else is selected. */
function ofPlace({ since, until, node }: Selection): Selection {
  return {
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(node === undefined ? {} : { node }),
  };
}

async function rangeIn({ records, ask }: Tables): Promise<[bigint, bigint] | undefined> {
  const { rows } = await ask(
    `SELECT min("timestamp"), max("timestamp"), count(*) FROM ${records} AS one
     WHERE "timestamp" IS NOT NULL`,
  );
  const [first = null, last = null, count = null] = rows[0] ?? [];
  return numberOf(count) === 0 ? undefined : [wholeOf(first), wholeOf(last)];
}

async function matchingIn({ records, dialect, ask }: Tables, bars: Bars) {
  const { rows } = await ask(
    `SELECT ${barSql(dialect, bars)} AS bar, count(*) AS records,
       sum(CASE WHEN parent_cause IS NULL AND coalesce(left(permitted_by, 10), '') <> 'root_event'
         THEN 1 ELSE 0 END) AS gaps
     FROM ${records} AS one WHERE "timestamp" IS NOT NULL GROUP BY bar`,
  );
  return new Map(
    rows.map(([bar = null, count = null, gaps = null]) => [
      numberOf(bar),
      { records: numberOf(count), gaps: numberOf(gaps) },
    ]),
  );
}

async function everythingIn({ records, dialect, ask }: Tables, bars: Bars) {
  const isLoss = `"action" = 'journal.loss'`;
  // Counting nodes in groups takes a third of the time of counting distinct ones.
  const { rows } = await ask(
    `SELECT bar, count(*) AS present, sum(node_losses) AS losses, sum(node_unknown) AS unknown,
       sum(node_lost) AS lost
     FROM (SELECT ${barSql(dialect, bars)} AS bar, node,
         sum(CASE WHEN ${isLoss} THEN 1 ELSE 0 END) AS node_losses,
         sum(CASE WHEN ${isLoss} AND loss_count IS NULL THEN 1 ELSE 0 END) AS node_unknown,
         sum(CASE WHEN ${isLoss} THEN loss_count END) AS node_lost
       FROM ${records} AS one WHERE "timestamp" IS NOT NULL AND node IS NOT NULL
       GROUP BY bar, node) AS by_node
     GROUP BY bar`,
  );
  return new Map(
    rows.map(([bar = null, present = null, losses = null, unknown = null, lost = null]) => [
      numberOf(bar),
      {
        present: numberOf(present),
        lossRecords: numberOf(losses),
        lost: numberOf(unknown) > 0 ? null : numberOf(lost),
      },
    ]),
  );
}

async function nodesIn({ records, ask }: Tables): Promise<number> {
  const { rows } = await ask(
    `SELECT count(*) FROM (SELECT node FROM ${records} AS one
       WHERE node IS NOT NULL GROUP BY node) AS nodes`,
  );
  return numberOf(rows[0]?.[0] ?? null);
}

function barSql(dialect: Tables['dialect'], { from, width, isLong }: Bars): string {
  const time = isLong ? dialect.wide('"timestamp"') : '"timestamp"';
  return dialect.divided(`${time} - ${from}`, width);
}

/** Reads a count; engines write large ones as texts. */
function numberOf(value: Json): number {
  return Number(value ?? 0);
}

function wholeOf(value: Json): bigint {
  return BigInt(String(value));
}
