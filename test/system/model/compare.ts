import type { JournalLine } from '../../support/journal/followed-journal.ts';

/** One exec as the model played it. */
interface Image {
  readonly number: number;
  /** the invocation that forked it, or that ran before it in the same process */
  readonly parent: number;
  /** in the model's own pid namespace */
  readonly pid: number;
  readonly failed: boolean;
  /** boot time in ns: the exec happened between the two; 0n: unknown */
  readonly before: bigint;
  readonly after: bigint;
}

/** The truth that the model wrote down. */
export interface Truth {
  readonly moves: number;
  readonly reused: number;
  readonly images: readonly Image[];
}

/** Reads the file that test/programs/model.c writes. */
export function parseTruth(text: string): Truth {
  const [head = '', ...lines] = text.trimEnd().split('\n');
  const [, moves, reused] = /^moves (\d+) reused (\d+)$/.exec(head) ?? [];
  if (moves === undefined) throw new Error(`not the truth of a model: ${head}`);
  return { moves: Number(moves), reused: Number(reused), images: lines.map(parseImage) };
}

function parseImage(line: string): Image {
  const [number, parent, pid, state, before, after] = line.split(' ');
  return {
    number: Number(number),
    parent: Number(parent),
    pid: Number(pid),
    failed: state === 'failed',
    before: BigInt(before ?? 0),
    after: BigInt(after ?? 0),
  };
}

/** Describes every difference between the truth and the journal. */
export function compare(truth: Truth, records: readonly JournalLine[], run: string): string[] {
  const seen = recordsOf(records, run);
  const problems: string[] = [];
  const root = seen.get(0);
  if (root?.length !== 1) problems.push(`image 0 has ${root?.length ?? 0} records`);
  for (const image of truth.images) {
    const mine = seen.get(image.number) ?? [];
    const wanted = image.failed ? 0 : 1;
    if (mine.length !== wanted) {
      problems.push(`image ${image.number} has ${mine.length} records instead of ${wanted}`);
    }
    const [record] = mine;
    const parent = seen.get(image.parent)?.[0];
    if (record !== undefined) problems.push(...compareOne(image, record, parent));
  }
  const known = new Set([0, ...truth.images.map(({ number }) => number)]);
  for (const number of seen.keys()) {
    if (!known.has(number)) problems.push(`image ${number} was never played`);
  }
  return problems;
}

/** Maps an invocation to its records. */
function recordsOf(records: readonly JournalLine[], run: string): Map<number, JournalLine[]> {
  const seen = new Map<number, JournalLine[]>();
  for (const record of records) {
    const args = record.attributes['process.command_args'];
    const match = Array.isArray(args) ? /^model:(.+):(\d+)$/.exec(String(args[1])) : null;
    if (match?.[1] !== run) continue;
    const number = Number(match[2]);
    seen.set(number, [...(seen.get(number) ?? []), record]);
  }
  return seen;
}

function compareOne(image: Image, record: JournalLine, parent: JournalLine | undefined): string[] {
  const problems: string[] = [];
  const say = (what: string) => problems.push(`image ${image.number}: ${what}`);
  if (record.parent_cause === null) {
    say(`a gap (${record.attributes['vcml.gap.reason']}) instead of image ${image.parent}`);
  } else if (record.parent_cause !== parent?.id) {
    say(`its cause is ${record.parent_cause}, should be image ${image.parent} (${parent?.id})`);
  }
  if (record.attributes['process.vpid'] !== image.pid) {
    say(`its pid is ${record.attributes['process.vpid']}, should be ${image.pid}`);
  }
  const time = BigInt(String(record.attributes['vcml.boot_time']));
  if (time < image.before || (image.after > 0n && time > image.after)) {
    say(`its boot time is ${time}, should be from ${image.before} to ${image.after}`);
  }
  return problems;
}
