import { counted } from '../../../record/describe.ts';
import type { Code, Severity } from '../../audit/codes.ts';
import type { CpuNumbers } from '../../completeness/node.ts';
import { countBeyond } from '../../ranges.ts';
import type { TimeRange } from '../../select/filter.ts';
import { arrivalsOf, type CpuArrivals } from '../arrivals/arrivals.ts';
import type { Store } from '../connect.ts';
import { Facts, type Odd } from './facts.ts';

/** No answer names more records of one kind. */
const NAMED_MAX = 10_000;

/** Something that is wrong with the records of a node. */
export interface FleetFinding {
  readonly code: Code;
  readonly severity?: Severity;
  readonly node: string;
  readonly id: string | null;
  readonly more?: string;
}

/** What an audit of all nodes has found. */
export interface FleetAudit {
  readonly nodes: number;
  /** records that had arrived, and that the store has deleted */
  readonly deleted: number;
  readonly findings: readonly FleetFinding[];
}

/**
 * Audits the records of all nodes where they are: holes that nobody reported, causes that are missing,
 * and ids that are wrong or there twice.
 */
export async function auditFleet(
  store: Store,
  times: TimeRange,
  named = NAMED_MAX,
): Promise<FleetAudit> {
  const facts = new Facts(store, times);
  const { nodes, cpus } = await arrivalsOf(store, undefined, times);
  const untold = new Map<string, number>();
  const findings: FleetFinding[] = [];
  for (const { node, boot, hook, cpu, numbers } of cpus) {
    const missing = missingIn(numbers);
    if (missing === 0) continue;
    const { isUntold } = numbers;
    if (isUntold) untold.set(`${node}/${boot}`, (untold.get(`${node}/${boot}`) ?? 0) + missing);
    findings.push({
      code: 'SEQ_MISSING',
      ...(isUntold ? { severity: 'WARN' as const } : {}),
      node,
      id: null,
      more: `cpu ${cpu} of the hook ${hook}: ${counted(missing, 'number')}${isUntold ? UNTOLD : ''}`,
    });
  }
  for (const { node, deleted = 0 } of nodes)
    if (deleted > 0)
      findings.push({
        code: 'SEQ_MISSING',
        severity: 'NOTE',
        node,
        id: null,
        more: `the store has deleted ${counted(deleted, 'record')} that had arrived`,
      });
  const absent: Absent[] = [];
  const unnamed = new Map<string, Unnamed>();
  for await (const { node, id, effect } of facts.odd())
    if (effect === undefined) findings.push({ code: 'ID_DUPLICATE', node, id });
    else if (absent.length < named) absent.push({ node, id, effect });
    else {
      const one = unnamed.get(`${node}/${effect.boot}`) ?? { node, count: 0 };
      unnamed.set(`${node}/${effect.boot}`, { node, count: one.count + 1 });
    }
  for (const one of await missingCauses(store, facts, { absent, unnamed }, untold))
    findings.push(one);
  const wrong = await facts.wrongIds(named + 1);
  for (const { node, id } of wrong.slice(0, named)) findings.push({ code: 'ID_WRONG', node, id });
  if (wrong.length > named)
    findings.push({ code: 'ID_WRONG', node: '*', id: null, more: 'and more such records' });
  for (const { node, id } of await facts.unequal())
    findings.push({ code: 'ID_DUPLICATE', node, id, more: 'their contents differ' });
  for (const { boot, nodes: claimants } of await facts.sharedBoots()) {
    const [node = '', ...others] = claimants;
    findings.push({
      code: 'ID_DUPLICATE',
      node,
      id: null,
      more: `${others.join(', ')} has the same boot, ${boot}: the ids of both are the same for the same times`,
    });
  }
  const gone = nodes.reduce((sum, { deleted = 0 }) => sum + deleted, 0);
  return { nodes: nodes.length, deleted: gone, findings };
}

type Absent = Odd & { readonly effect: NonNullable<Odd['effect']> };

/** Missing causes of a boot beyond those that are named. */
interface Unnamed {
  readonly node: string;
  readonly count: number;
}

async function missingCauses(
  store: Store,
  facts: Facts,
  { absent, unnamed }: { absent: readonly Absent[]; unnamed: ReadonlyMap<string, Unnamed> },
  untold: ReadonlyMap<string, number>,
): Promise<FleetFinding[]> {
  const nodes = [...new Set([...absent, ...unnamed.values()].map(({ node }) => node))];
  const { cpus } = await arrivalsOf(store, nodes, { since: undefined, until: undefined });
  const explained = new Explained(
    cpus,
    await facts.left(nodes),
    await facts.deleted(nodes),
    untold,
  );
  const finding = (why: Why, node: string, id: string | null, text: string): FleetFinding[] => {
    if (why === 'withheld') return [];
    const { more, ...severity } = WHY[why];
    const about = more === undefined ? text : `${text}; ${more}`;
    return [{ code: 'CML-AUDIT-R1-MISSING_PARENT', ...severity, node, id, more: about }];
  };
  const findings = absent.flatMap(({ node, id, effect }) => {
    const why = explained.by(`${node}/${effect.boot}`);
    return finding(why, node, effect.id, `its cause is ${id}`);
  });
  for (const [boot, { node, count }] of unnamed) {
    const counts = new Map<Why, number>();
    for (let n = 0; n < count; n += 1) {
      const why = explained.by(boot);
      counts.set(why, (counts.get(why) ?? 0) + 1);
    }
    for (const [why, number] of counts)
      findings.push(...finding(why, node, null, `and ${counted(number, 'more such record')}`));
  }
  return findings;
}

const UNTOLD = '; an agent of format 1 does not say what exportRules withheld';

/** Why a cause can be missing. */
type Why = 'withheld' | 'gone' | 'untold' | 'unknown';

const WHY: Readonly<Record<Why, Pick<FleetFinding, 'severity' | 'more'>>> = {
  withheld: {},
  gone: { severity: 'NOTE', more: 'the store began later, or has deleted it, or its node has' },
  untold: { severity: 'WARN', more: UNTOLD.slice(2) },
  unknown: {},
};

/** Explains missing causes by numbers that are not there; each number explains one cause. */
class Explained {
  readonly #left = new Map<string, [Why, number][]>();

  constructor(
    cpus: readonly CpuArrivals[],
    left: ReadonlyMap<string, number>,
    deleted: ReadonlyMap<string, number>,
    untold: ReadonlyMap<string, number>,
  ) {
    for (const [boot, own] of Map.groupBy(cpus, ({ node, boot }) => `${node}/${boot}`)) {
      let withheld = 0;
      let gone = (deleted.get(boot) ?? 0) - (left.get(boot) ?? 0);
      for (const { numbers } of own) {
        withheld += countBeyond(numbers.withheld, numbers.received);
        // What is before the first number that the store should have was there before the store.
        const before = [{ first: 1, last: (numbers.asked[0]?.first ?? 1) - 1 }];
        gone += countBeyond(numbers.received, []) + countBeyond(before, numbers.lost);
      }
      this.#left.set(boot, [
        ['withheld', withheld],
        ['gone', gone],
        ['untold', untold.get(boot) ?? 0],
      ]);
    }
  }

  by(boot: string): Why {
    const kind = this.#left.get(boot)?.find(([, left]) => left > 0);
    if (kind === undefined) return 'unknown';
    kind[1] -= 1;
    return kind[0];
  }
}

/** How many numbers of a CPU did not arrive, and nobody has reported. */
function missingIn({ asked, received, lost, withheld }: CpuNumbers): number {
  return countBeyond(asked, [...received, ...lost, ...withheld]);
}
