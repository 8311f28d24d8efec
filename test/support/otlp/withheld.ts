import { uuid5 } from '../../check/uuid.ts';

/** What `journal.withheld` records say together. */
export interface Told {
  /** by the number of an exec: `boot/hook/cpu/seq` */
  readonly numbers: ReadonlySet<string>;
  readonly findings: readonly string[];
}

interface WithheldLine {
  readonly id: string;
  readonly action: string;
  readonly object?: string;
  readonly permitted_by: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

const RANGES_MAX = 64;

/** Whether a line is a `journal.withheld`. */
export function isWithheld(line: string): boolean {
  return line.includes(',"action":"journal.withheld",');
}

/** The number of an exec's line; undefined: it has none. */
export function numberOf(line: string): string | undefined {
  const found =
    /"vcml\.boot\.id":"([^"]*)","vcml\.boot_time":"\d+","vcml\.hook\.id":"(\d+)","vcml\.cpu":(\d+),"vcml\.seq":(\d+)/.exec(
      line,
    );
  return found?.slice(1).join('/');
}

/** Reads records about withheld ones, by the format alone; a repeat must be the same. */
export function toldIn(lines: readonly string[]): Told {
  const numbers = new Set<string>();
  const findings: string[] = [];
  const known = new Map<string, string>();
  for (const line of lines) {
    const { id, attributes, ...record }: WithheldLine = JSON.parse(line);
    if ((known.get(id) ?? line) !== line) findings.push(`changed: ${line}`);
    known.set(id, line);
    const boot = String(attributes['vcml.boot.id']);
    const hook = String(attributes['vcml.withheld.hook_id']);
    const cpu = Number(attributes['vcml.withheld.cpu']);
    const texts = attributes['vcml.withheld.ranges'] as readonly string[];
    const ranges = texts.map((text) => text.split('-').map(Number) as [number, number]);
    const isSound =
      id === uuid5(boot, `${hook}:journal.withheld:${cpu}:${texts.join(',')}`) &&
      record.object === undefined &&
      record.permitted_by === 'root_event:journal.withheld' &&
      attributes['vcml.hook.id'] === hook &&
      texts.length > 0 &&
      texts.length <= RANGES_MAX &&
      ranges.every(([first, last], n) => first <= last && first > (ranges[n - 1]?.[1] ?? -2) + 1) &&
      attributes['vcml.withheld.count'] ===
        ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    if (!isSound) findings.push(`an unsound journal.withheld: ${line}`);
    for (const [first, last] of ranges)
      for (let seq = first; seq <= last; seq++) numbers.add(`${boot}/${hook}/${cpu}/${seq}`);
  }
  return { numbers, findings };
}
