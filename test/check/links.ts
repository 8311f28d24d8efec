import type { CheckedRecord, Finding, Report } from './finding.ts';

/** A finding that a later line may still confirm or refute. */
interface Waiting {
  readonly line: number;
  readonly id: string;
}

/** Checks ids and links over the whole journal. */
export class Links {
  /** Maps a boot and an id to a boot time; the boot is the namespace of the id. */
  readonly #boots = new Map<string, Map<string, bigint>>();
  readonly #unseenParents: (Waiting & { readonly boot: string })[] = [];
  readonly #lostCauses: Waiting[] = [];

  /** Adds any record, in order. */
  take(record: CheckedRecord, line: number, report: Report): void {
    this.#checkParent(record, line, report);
    const lost = record.attributes['vcml.gap.lost_cause'];
    if (typeof lost === 'string') this.#lostCauses.push({ line, id: lost });
    const ids = this.#boots.get(record.bootId) ?? new Map<string, bigint>();
    this.#boots.set(record.bootId, ids);
    if (this.#bootOf(record.id) !== undefined) report('duplicate', `${record.id} again`);
    // Links lead to execs; a negative time marks other records.
    ids.set(record.id, record.action === 'exec' ? record.bootTime : -1n);
  }

  /** Reports what only the whole journal shows; with `incomplete`, parents may be elsewhere. */
  end(incomplete: boolean): { findings: Finding[]; unresolved: number } {
    const findings: Finding[] = [];
    let unresolved = 0;
    for (const { id, boot, line } of this.#unseenParents) {
      const other = this.#bootOf(id);
      if (other === boot) findings.push(finding('order', line, `its parent ${id} stands below it`));
      else if (other !== undefined)
        findings.push(finding('boot', line, `${id} is of another boot`));
      else if (incomplete) unresolved += 1;
      else findings.push(finding('link', line, `no record ${id}`));
    }
    for (const { id, line } of this.#lostCauses) {
      if (this.#bootOf(id) === undefined) continue;
      findings.push(finding('gap', line, `the lost cause ${id} is there`));
    }
    return { findings, unresolved };
  }

  #checkParent(record: CheckedRecord, line: number, report: Report): void {
    const id = record.parentCause;
    if (id === null) return;
    const time = this.#boots.get(record.bootId)?.get(id);
    if (time === undefined) this.#unseenParents.push({ line, id, boot: record.bootId });
    else if (time < 0n) report('link', `${id} is no exec`);
    else if (time > record.bootTime) report('time', `its parent ${id} is later`);
  }

  #bootOf(id: string): string | undefined {
    for (const [boot, ids] of this.#boots) if (ids.has(id)) return boot;
    return undefined;
  }
}

function finding(rule: string, line: number, message: string): Finding {
  return { rule, line, message };
}
