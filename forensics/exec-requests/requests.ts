import { counted } from '../../record/describe.ts';
import type { Json } from '../../record/exact-json.ts';
import { eventsIn } from './audit-events.ts';
import { type ExecRequest, execRequestOf } from './exec-request.ts';

/** The requests of an audit log, each once, and a sentence about the log. */
export interface Found {
  /** those that were not refused */
  readonly requests: readonly ExecRequest[];
  readonly refused: readonly ExecRequest[];
  readonly summary: string;
}

/** Collects requests and counts what is no event. */
export class Requests {
  found = 0;
  notUnderstood = 0;
  /** Whether a part of the file cannot be decompressed. */
  isDamaged = false;
  readonly #requests = new Map<string | number, ExecRequest>();

  readonly damaged = (): void => {
    this.isDamaged = true;
  };

  /** Takes the JSON of a line; undefined: it is not JSON. */
  take(value: Json | undefined): void {
    let events = 0;
    for (const event of eventsIn(value)) {
      events += 1;
      const request = execRequestOf(event);
      if (request === undefined) continue;
      this.found += 1;
      const key = request.id ?? this.found;
      if (decides(request, this.#requests.get(key))) this.#requests.set(key, request);
    }
    if (events === 0) this.notUnderstood += 1;
  }

  /** Ends with so many lines, or whatever contained the events. */
  finish(path: string, unit: string, count: number): Found {
    const all = [...this.#requests.values()];
    const requests = all.filter(({ isRefused }) => !isRefused);
    const refused = all.filter(({ isRefused }) => isRefused);
    const summary = [
      `${path}: ${counted(all.length, 'pods/exec request')} in ${counted(count, unit)}`,
      ...(refused.length > 0 ? [`${refused.length} of them refused`] : []),
      ...(this.notUnderstood > 0
        ? [`${counted(this.notUnderstood, unit)} without an audit event that is understood`]
        : []),
    ];
    if (this.isDamaged) summary.push('and the file is damaged, so that others may be missing');
    return { requests, refused, summary: summary.join(', ') };
  }
}

/** Whether a stage decides rather than the known one: the later one, but nothing refuses what has begun. */
function decides({ stage, hasBegun }: ExecRequest, known: ExecRequest | undefined): boolean {
  return known === undefined || hasBegun || (!known.hasBegun && known.stage <= stage);
}
