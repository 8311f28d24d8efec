import { type FSWatcher, watch } from 'node:fs';
import type { Hook } from '../../source/hook.ts';

/** A change is looked at after this time, so that one look sees the whole of an `rm -r`. */
const SETTLE_MS = 50;
/** How often to try again what failed. */
const RETRY_MS = 5000;

/** Pins of the hook were removed by others. */
export type PinEvent =
  | { readonly event: 'hook.pinned_again'; readonly pins: readonly string[] }
  | { readonly event: 'hook.unpinned'; readonly error: Error };

/**
 * Keeps the hook pinned. An open hook holds its programs and maps, so that the removal of a pin
 * detaches nothing while the agent is running. This class restores the pin before it ends. While
 * the folder does not change, no timer is running.
 */
export class PinKeeper {
  /** The number of pins that were removed by others and are restored. */
  restored = 0;
  readonly #hook: Hook;
  readonly #pinDir: string;
  readonly #report: (event: PinEvent) => void;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isBroken = false;

  constructor(hook: Hook, pinDir: string, report: (event: PinEvent) => void) {
    this.#hook = hook;
    this.#pinDir = pinDir;
    this.#report = report;
    this.#watch();
    this.#lookIn(SETTLE_MS);
  }

  /** Whether the hook outlives the agent, as far as is known. */
  get isPinned(): boolean {
    return !this.#isBroken;
  }

  /** Restores the pins that are gone. Call it now and then: not every change is reported. */
  look(): void {
    try {
      const pins = this.#hook.restorePins();
      if (pins.length > 0 || this.#isBroken) this.#note(pins);
    } catch (error) {
      if (!this.#isBroken) this.#report({ event: 'hook.unpinned', error: error as Error });
      this.#isBroken = true;
      this.#lookIn(RETRY_MS);
    }
  }

  /** Looks a last time. */
  close(): void {
    this.look();
    this.#watcher?.close();
    clearTimeout(this.#timer);
  }

  #note(pins: readonly string[]): void {
    this.restored += pins.length;
    this.#isBroken = false;
    this.#report({ event: 'hook.pinned_again', pins });
    // The folder may be another one, and may have changed before it was watched.
    this.#watch();
    this.#lookIn(SETTLE_MS);
  }

  #watch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    try {
      const onChange = () => this.#lookIn(SETTLE_MS);
      this.#watcher = watch(this.#pinDir, { persistent: false }, onChange).on('error', () => {});
    } catch {
      // The limit of watches is reached: the callers of look() notice changes.
    }
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.look(), ms).unref();
  }
}
