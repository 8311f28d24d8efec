import type { CheckedRecord, Json, JsonObject, Report } from './finding.ts';

/** The state of one CPU's numbers under one hook. */
interface Cpu {
  /** The next number. */
  next: number;
  /** The first number of this journal, if the earlier ones are unknown. */
  readonly base: number | undefined;
  /** The lost ranges that are not yet passed, from first to last. */
  readonly losses: Map<number, number>;
}

/** Checks the numbers of every hook and CPU: each occurs once and in order, or a loss covers it. */
export class Numbers {
  readonly #cpus = new Map<string, Cpu>();
  readonly #hooks = new Set<string>();
  /** Maps a hook and a CPU to the highest deleted number. */
  readonly #deleted = new Map<string, number>();
  /** The hooks whose records were deleted with numbers that are not known. */
  readonly #partlyDeleted = new Set<string>();
  /** Whether earlier records exist, or records were deleted. */
  incomplete = false;

  /** Adds a `journal.start`. */
  start({ attributes }: CheckedRecord, report: Report): void {
    const hook = String(attributes['vcml.hook.id']);
    const nextSeq = numbersOf(attributes['vcml.hook.next_seq']);
    const known = this.#hooks.has(hook);
    this.#hooks.add(hook);
    if (nextSeq.some((next) => next > 1)) {
      if (attributes['vcml.hook.state'] === 'attached')
        report('numbers', 'a new hook counts from 1');
      if (!known) this.incomplete = true;
    }
    for (const [cpu, next] of nextSeq.entries()) {
      const key = `${hook}/${cpu}`;
      const state = this.#cpus.get(key);
      if (state === undefined) {
        // If this journal has the hook, no other journal has its numbers.
        if (known && next > 1) report('numbers', `next of cpu ${cpu} is ${next}, none was seen`);
        this.#cpus.set(key, { next, base: undefined, losses: new Map() });
        continue;
      }
      absorb(state);
      if (state.next !== next) {
        report('numbers', `next of cpu ${cpu} is ${next}, seen and lost say ${state.next}`);
        state.next = next;
      }
    }
  }

  /** Adds an exec. */
  exec({ attributes }: CheckedRecord, report: Report): void {
    const seq = attributes['vcml.seq'];
    if (typeof seq !== 'number') return;
    const hook = String(attributes['vcml.hook.id']);
    const key = `${hook}/${attributes['vcml.cpu']}`;
    const state = this.#stateOf(hook, key, seq, report);
    absorb(state);
    if (seq !== state.next) {
      const what = seq < state.next ? 'again or late' : 'with numbers missing before it';
      report('numbers', `cpu ${attributes['vcml.cpu']}: ${seq} ${what}, ${state.next} is next`);
      if (seq < state.next) return;
    }
    state.next = seq + 1;
  }

  /** Adds a `journal.loss`. */
  loss({ attributes }: CheckedRecord, report: Report): void {
    const stage = attributes['vcml.loss.stage'];
    checkShape(attributes, report);
    const { first, last } = runOf(attributes);
    if (stage === 'retention') this.incomplete = true;
    if (stage === 'retention' && first === undefined)
      this.#partlyDeleted.add(String(attributes['vcml.loss.hook_id']));
    if (first === undefined || last === undefined) return;
    const hook = String(attributes['vcml.loss.hook_id']);
    const key = `${hook}/${attributes['vcml.loss.cpu']}`;
    if (stage === 'retention') {
      this.#deleted.set(key, Math.max(last, this.#deleted.get(key) ?? 0));
      return;
    }
    const state = this.#stateOf(hook, key, first, report);
    absorb(state);
    for (const [otherFirst, otherLast] of state.losses) {
      if (first <= otherLast && last >= otherFirst) report('loss', 'lost twice');
    }
    if (first < state.next) {
      report('loss', `${first} to ${last} are lost, but ${state.next} is next`);
      return;
    }
    state.losses.set(first, last);
  }

  /** Reports what is missing at the end of the journal. */
  end(report: Report): void {
    for (const [key, { base }] of this.#cpus) {
      const deleted = this.#deleted.get(key);
      if (base === undefined || base === 1) continue;
      if (deleted === undefined && this.#partlyDeleted.has(key.slice(0, key.indexOf('/'))))
        continue;
      if (deleted === undefined) report('numbers', `${key} begins at ${base}: nothing says why`);
      else if (deleted >= base) report('loss', `${key}: ${deleted} was deleted, ${base} is there`);
    }
  }

  #stateOf(hook: string, key: string, seq: number, report: Report): Cpu {
    let state = this.#cpus.get(key);
    if (state === undefined) {
      const started = this.#hooks.has(hook);
      if (started) report('numbers', `${key} is not in the next_seq of journal.start`);
      else this.#begin(hook, report);
      state = { next: seq, base: started ? undefined : seq, losses: new Map() };
      this.#cpus.set(key, state);
    }
    return state;
  }

  /**
   * Checks a hook without a journal.start, which is right only at the beginning of a cut journal.
   */
  #begin(hook: string, report: Report): void {
    if (this.#hooks.size > 0) report('run', `no journal.start for hook ${hook}`);
    this.incomplete = true;
  }
}

/** Skips the lost numbers. */
function absorb(state: Cpu): void {
  for (;;) {
    const last = state.losses.get(state.next);
    if (last === undefined) return;
    state.losses.delete(state.next);
    state.next = last + 1;
  }
}

function runOf(attributes: JsonObject): { first: number | undefined; last: number | undefined } {
  const first = attributes['vcml.loss.first_seq'];
  const last = attributes['vcml.loss.last_seq'];
  const run = typeof first === 'number' && typeof last === 'number' && first <= last;
  return run ? { first, last } : { first: undefined, last: undefined };
}

const RUN = ['hook_id', 'cpu', 'first_seq', 'last_seq'];

/** Checks the attributes of a loss, which depend on its stage. */
function checkShape(attributes: JsonObject, report: Report): void {
  const stage = String(attributes['vcml.loss.stage']);
  const has = (name: string) => `vcml.loss.${name}` in attributes;
  const need = (names: readonly string[]) => {
    for (const name of names) if (!has(name)) report('loss', `${stage} without vcml.loss.${name}`);
  };
  const refuse = (names: readonly string[]) => {
    for (const name of names) if (has(name)) report('loss', `${stage} with vcml.loss.${name}`);
  };
  if (stage === 'reboot') {
    need(['boot_id', 'next_seq']);
    refuse(['count', 'first_seq', 'last_seq']);
    return;
  }
  refuse(['boot_id']);
  if (stage === 'kernel' && has('since')) {
    // Programs, or the whole hook, were detached.
    refuse([...RUN.slice(1), 'count']);
    const [since, seen] = [attributes['vcml.loss.since'], attributes['vcml.boot_time']];
    if (BigInt(String(since)) > BigInt(String(seen))) report('loss', 'since after the record');
    return;
  }
  if (stage === 'retention' && !has('first_seq')) {
    // A segment that could not be read was deleted.
    need(['hook_id']);
    refuse([...RUN.slice(1), 'count', 'next_seq', 'since']);
    return;
  }
  need(['count']);
  refuse(['next_seq', 'since']);
  if (stage === 'kernel') refuse(RUN.slice(1));
  // An event whose head is damaged has no number.
  else if (stage !== 'decode' || has('first_seq')) {
    need(RUN);
    const { first, last } = runOf(attributes);
    if (first === undefined || last === undefined) report('loss', 'first_seq after last_seq');
    else if (attributes['vcml.loss.count'] !== last - first + 1) report('loss', 'a wrong count');
  }
}

function numbersOf(value: Json | undefined): readonly number[] {
  return Array.isArray(value) ? value.filter((next) => typeof next === 'number') : [];
}
