import { counted } from '../../../record/describe.ts';
import type { Code, Severity } from '../../audit/codes.ts';
import { countBeyond, type Range } from '../../ranges.ts';
import type { TimeRange } from '../../select/filter.ts';
import type { Store } from '../connect.ts';
import { type Cpu, Facts, type Holes, type Odd, type Presence, type Reported } from './facts.ts';

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
  readonly findings: readonly FleetFinding[];
}

/**
 * Audits the records of all nodes where they are: holes that nobody reported, causes that are missing,
 * and ids that are wrong or there twice.
 */
export async function auditFleet(store: Store, times: TimeRange): Promise<FleetAudit> {
  const facts = new Facts(store, times);
  const holes = await facts.holes();
  const silent = await facts.silentHooks();
  const absent: (Odd & { readonly effect: NonNullable<Odd['effect']> })[] = [];
  const findings: FleetFinding[] = [];
  for await (const { node, id, effect } of facts.odd())
    if (effect === undefined) findings.push({ code: 'ID_DUPLICATE', node, id });
    else if (absent.length < NAMED_MAX) absent.push({ node, id, effect });
  const nodes = [...new Set([...holes, ...absent].map(({ node }) => node))];
  const reported = Map.groupBy(await facts.reported(nodes), keyOf);
  const untold = new Map<string, number>();
  for (const one of holes) {
    const { node, hook, boot, cpu } = one;
    const own = reported.get(keyOf(one)) ?? [];
    const missing = missingIn(one, own);
    if (missing <= 0) continue;
    const isSilent =
      silent.has(`${node}/${boot}/${hook}`) && !own.some(({ kind }) => kind === 'withheld');
    if (isSilent) untold.set(`${node}/${boot}`, (untold.get(`${node}/${boot}`) ?? 0) + missing);
    findings.push({
      code: 'SEQ_MISSING',
      ...(isSilent ? { severity: 'WARN' as const } : {}),
      node,
      id: null,
      more: `cpu ${cpu} of the hook ${hook}: ${counted(missing, 'number')}${isSilent ? UNTOLD : ''}`,
    });
  }
  const presence = await facts.presence([...new Set(absent.map(({ node }) => node))]);
  const explained = new Explained(presence, await facts.attachedHooks(), untold, reported);
  for (const { node, id, effect } of absent) {
    const why = explained.by(`${node}/${effect.boot}`);
    if (why === 'withheld') continue;
    findings.push({
      code: 'CML-AUDIT-R1-MISSING_PARENT',
      ...WHY[why],
      node,
      id: effect.id,
      more: [`its cause is ${id}`, WHY[why].more].filter((text) => text !== undefined).join('; '),
    });
  }
  for (const { node, id } of await facts.wrongIds(NAMED_MAX))
    findings.push({ code: 'ID_WRONG', node, id });
  for (const { node, id } of await facts.unequal())
    findings.push({ code: 'ID_DUPLICATE', node, id, more: 'their contents differ' });
  for (const {
    boot,
    nodes: [node = '', ...others],
  } of await facts.sharedBoots())
    findings.push({
      code: 'ID_DUPLICATE',
      node,
      id: null,
      more: `${others.join(', ')} has the same boot, ${boot}: the ids of both are the same for the same times`,
    });
  return { nodes: await facts.nodes(), findings };
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
    { arrived, left }: Presence,
    attached: ReadonlySet<string>,
    untold: ReadonlyMap<string, number>,
    reported: ReadonlyMap<string, readonly Reported[]>,
  ) {
    for (const [boot, cpus] of Map.groupBy(arrived, ({ node, boot }) => `${node}/${boot}`)) {
      let [withheld, gone] = [0, -(left.get(boot) ?? 0)];
      for (const one of cpus) {
        const own = reported.get(keyOf(one)) ?? [];
        const of = (kind: string) => own.filter((range) => range.kind === kind);
        withheld += countBeyond(of('withheld'), []);
        gone += one.count + countBeyond(of('retention'), []);
        // Without the hook's first start, what is before the first number was there before the store.
        if (!attached.has(`${boot}/${one.hook}`))
          gone += countBeyond([{ first: 1, last: one.lowest - 1 }], own);
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

/** How many of the missing numbers nobody has reported. */
function missingIn({ count, span, ranges }: Holes, reported: readonly Range[]): number {
  if (ranges !== undefined) return countBeyond(ranges, reported);
  return count - (span.last - span.first + 1 - countBeyond([span], reported));
}

function keyOf({ node, boot, hook, cpu }: Cpu): string {
  return JSON.stringify([node, boot, hook, cpu]);
}
