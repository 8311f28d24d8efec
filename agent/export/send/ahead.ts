import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { Batch } from '../read/batches.ts';
import type { UpcomingBatches } from '../read/upcoming-batches.ts';

/** The records of the batches behind the one that is being sent, as far as they are needed. */
export class Ahead {
  readonly records: ReadableLogRecord[] = [];
  readonly #upcoming: UpcomingBatches;
  #batches = 0;
  #isLooking = false;

  constructor(upcoming: UpcomingBatches) {
    this.#upcoming = upcoming;
    this.look();
  }

  /** Adds the records of one more batch, as soon as there is one. */
  look(): void {
    if (this.#isLooking) return;
    const next = this.#upcoming.at(this.#batches);
    if (next === undefined) return;
    this.#isLooking = true;
    const add = (batch: Batch | undefined) => {
      // Without a batch, the export ends.
      if (batch === undefined) return;
      this.records.push(...batch.records);
      this.#batches += 1;
      this.#isLooking = false;
    };
    next.then(add, () => {}); // take() throws what it throws
  }
}
