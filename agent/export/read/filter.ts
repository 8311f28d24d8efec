import { KEYS } from '../../../record/fields.ts';
import { LAYOUT } from '../../../record/line/layout.ts';
import type { Line } from './journal-reader.ts';
import type { Asked, Rule } from './rules.ts';

/** An exec that a rule keeps back: its number, and what else its `journal.withheld` may need. */
export interface WithheldExec {
  readonly bootId: string;
  readonly hookId: string;
  readonly cpu: number;
  readonly seq: number;
  /** Unix nanoseconds, decimal */
  readonly timestamp: string;
  /** nanoseconds since the boot, decimal */
  readonly bootTime: string;
  readonly resource: Asked['resource'];
}

/** Decides what is exported, and counts what is kept back. */
export interface Filter {
  /**
   * Returns the exec of a line that a rule keeps back; undefined: the line is exported. Throws a
   * SyntaxError if it is not a record.
   */
  withheld(line: Line): WithheldExec | undefined;
  /** Says whether a line is exported, and counts nothing. */
  mayPass(line: Line): boolean;
  /** the number of records, by the text of the rule */
  readonly kept: ReadonlyMap<string, number>;
}

/** Parsing makes doubles of numbers, and a double does not hold a timestamp. */
const TIMESTAMP = new RegExp(`^${LAYOUT.id.replace('{', '\\{')}"[^"]*"${LAYOUT.timestamp}(\\d+),`);

/**
 * Creates a filter. The first rule that matches decides; other records and those about the journal
 * are exported.
 */
export function createFilter(rules: readonly Rule[]): Filter {
  const kept = new Map<string, number>();
  const ruleAgainst = (record: Parsed) => {
    if (record.action !== 'exec') return undefined;
    const rule = rules.find((one) => one.matches(record));
    return rule?.allows ? undefined : rule;
  };
  return {
    kept,
    withheld(line) {
      if (rules.length === 0) return undefined;
      const text = textOf(line);
      const record: Parsed = JSON.parse(text);
      const rule = ruleAgainst(record);
      if (rule === undefined) return undefined;
      const exec = execIn(record, TIMESTAMP.exec(text)?.[1]);
      kept.set(rule.text, (kept.get(rule.text) ?? 0) + 1);
      return exec;
    },
    mayPass: (line) => rules.length === 0 || ruleAgainst(JSON.parse(textOf(line))) === undefined,
  };
}

type Parsed = Asked & { readonly action: string };

function textOf({ bytes, from, to }: Line): string {
  return bytes.toString('utf8', from, to);
}

/** An exec without a number could not be accounted for, and is no record of this agent. */
function execIn({ resource, attributes }: Asked, timestamp: string | undefined): WithheldExec {
  const {
    [KEYS.bootId]: bootId,
    [KEYS.hookId]: hookId,
    [KEYS.bootTime]: bootTime,
    [KEYS.cpu]: cpu,
    [KEYS.seq]: seq,
  } = attributes;
  const isWhole =
    [bootId, hookId, bootTime, timestamp].every((one) => typeof one === 'string') &&
    Number.isSafeInteger(cpu) &&
    Number.isSafeInteger(seq);
  if (!isWhole) throw new SyntaxError('not an exec of the journal: it has no number');
  return { bootId, hookId, bootTime, cpu, seq, timestamp, resource } as WithheldExec;
}
