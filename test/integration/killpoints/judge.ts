import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { judge } from '../../check/check.ts';
import { JournalReader } from '../../check/read.ts';
import type { JournalLine } from '../../support/journal/followed-journal.ts';
import { judgeWitness } from '../../support/journal/judge-witness.ts';
import { judgeHistory } from '../../support/otlp/history.ts';
import { isWithheld, numberOf, toldIn } from '../../support/otlp/withheld.ts';
import { VCML_BIN } from '../../support/paths.ts';
import { REFUSED } from '../../support/scripted/script.ts';
import {
  type Account,
  judgeAccount,
  lastNumbers,
  type PendingRange,
} from '../../support/scripted/truth.ts';
import type { Boot } from './scenarios.ts';
import type { World } from './world.ts';

/** A deletion that is noted, and is to be recorded by the next run. */
const AT_BEGINNING = /begins at \d+: nothing says why/;

type Journal = Pick<World, 'journal'>;

/** A line's place in the journal. */
type Place = JournalReader['place'];

/** What was exported: the lines that a collector took, all that there ever were, and those left. */
interface Exported {
  readonly received: readonly string[];
  readonly history: readonly string[];
  readonly places: ReadonlyMap<string, Place>;
}

/**
 * Finds what is wrong with a world in which everything was recorded and exported at last. `history`
 * is every line that its journal ever had, and `received` what its collector took.
 */
export function judgeWorld(
  world: Journal,
  history: readonly string[],
  boots: readonly Boot[],
  received: readonly string[],
): string[] {
  const reader = new JournalReader(world.journal);
  const places = new Map<string, Place>();
  for (const line of reader.lines()) places.set(line, reader.place);
  const lines = [...places.keys()];
  const account = {
    history: history.map(parsed),
    remaining: lines.map(parsed),
    pending: pendingIn(world),
  };
  return [
    ...judge(lines)
      .findings.filter(({ message }) => account.pending.length === 0 || !AT_BEGINNING.test(message))
      .map(({ rule, line, message }) => `line ${line}: ${rule}: ${message}`),
    ...judgeWitness(world.journal, received),
    ...boots.flatMap((boot) => judgeBoot(account, boot)),
    ...judgeExport(world, { received, history, places }),
  ];
}

type Left = Pick<Account, 'history' | 'remaining' | 'pending'>;

/** Once all records of an earlier hook are deleted, nothing needs to say so any more. */
function judgeBoot(account: Left, boot: Boot): string[] {
  const isOver = boot.isCut || boot.isDetached;
  if (isOver && !account.remaining.some((line) => isExecOf(line, boot))) return [];
  if (!boot.isCut) return judgeAccount({ ...account, ...boot });
  return [
    ...judgeAccount({ ...account, ...boot }),
    ...(boot.isDetached ? [] : judgeReboot(account, boot)),
    ...judgeCommitted(account, boot),
  ];
}

function isExecOf({ action, attributes }: JournalLine, { hookId }: Boot): boolean {
  return action === 'exec' && attributes['vcml.hook.id'] === hookId;
}

/** Finds what `vcml audit` says about a journal whose deletions are all recorded. */
export function audit(world: World): string[] {
  if (pendingIn(world).length > 0) return [];
  const { status, stdout, stderr } = spawnSync(VCML_BIN, ['audit', world.journal], {
    encoding: 'utf8',
  });
  return status === 0 ? [] : [`vcml audit ends with ${status}: ${stdout}${stderr}`];
}

/** The loss of a reboot names the first number of each CPU that may be missing. */
function judgeReboot(account: Left, { bootId, hookId }: Boot): string[] {
  const loss = account.remaining.find(
    ({ attributes }) => attributes['vcml.loss.boot_id'] === bootId,
  );
  if (loss === undefined) return [`no loss says that boot ${bootId} ended`];
  const next = loss.attributes['vcml.loss.next_seq'] as readonly number[];
  // Deletions that were noted and not recorded by then are no part of what its writer can know.
  const before = account.remaining.slice(0, account.remaining.indexOf(loss));
  const written = lastNumbers({ remaining: before, hookId });
  const last = lastNumbers({ ...account, hookId });
  return next.flatMap((seq, cpu) => {
    const [least, most] = [(written.get(cpu) ?? 0) + 1, (last.get(cpu) ?? 0) + 1];
    return seq >= least && seq <= most
      ? []
      : [`next of cpu ${cpu} is ${seq} at the reboot instead of ${most}`];
  });
}

/** What was committed to the kernel is on disk. */
function judgeCommitted(account: Left, { hookId, committed = [] }: Boot): string[] {
  const last = lastNumbers({ ...account, hookId });
  return committed.flatMap((seq, cpu) =>
    seq <= (last.get(cpu) ?? 0) ? [] : [`cpu ${cpu}: ${seq} was committed and is not on disk`],
  );
}

/**
 * What a collector refuses is set aside, unless a rule withholds it; what was deleted or cut first
 * may not have reached it.
 */
function judgeExport(world: Journal, { received, history, places }: Exported): string[] {
  const lines = [...places.keys()];
  const excused = history.filter((line) => line.includes(REFUSED) || !places.has(line));
  const letters = lettersIn(world);
  const lettered = letters.map(({ line }) => line);
  const { numbers } = toldIn(received.filter(isWithheld));
  const isTold = (line: string) => numbers.has(numberOf(line) ?? '');
  return [
    ...judgeHistory({ received, journal: history, excused }),
    ...lines
      .filter((line) => line.includes(REFUSED) && !isTold(line) && !lettered.includes(line))
      .map((line) => `refused, and no dead letter: ${line.slice(0, 200)}`),
    ...lettered
      .filter((line) => line !== null && !line.includes(REFUSED))
      .map((line) => `a dead letter that nobody refused: ${line?.slice(0, 200)}`),
    ...letters.flatMap((letter) => {
      const place = places.get(letter.line ?? '');
      const isThere = place?.segment === letter.segment && place.offset === letter.offset;
      return place === undefined || isThere
        ? []
        : [`a dead letter from ${letter.segment}/${letter.offset}: ${letter.line?.slice(0, 200)}`];
    }),
  ];
}

/** A record that was set aside, and its place in the journal. */
interface Letter extends Place {
  readonly line: string | null;
}

function lettersIn({ journal }: Journal): Letter[] {
  const file = join(journal, 'dead-letters.jsonl');
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .flatMap((letter) => letterIn(letter));
}

/** A letter in which a power cut left a hole has none. */
function letterIn(letter: string): Letter[] {
  try {
    return [JSON.parse(letter)];
  } catch {
    return [];
  }
}

function pendingIn({ journal }: Journal): PendingRange[] {
  const file = join(journal, 'deletions.json');
  if (!existsSync(file)) return [];
  const deletions: { readonly runs: PendingRange[] }[] = JSON.parse(readFileSync(file, 'utf8'));
  return deletions.flatMap(({ runs }) => runs);
}

function parsed(line: string): JournalLine {
  return JSON.parse(line) as JournalLine;
}
