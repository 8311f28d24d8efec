import type { CapabilitySets } from '../../record/types.ts';
import type { EventView } from './event-view.ts';
import { execCapabilities, execEvent, execFlags } from './layout.ts';

/** Reads the sets of capabilities in exec events. */
export interface CapabilitiesReader {
  /** Returns the place of an event's sets in the buffer; undefined: it has none. */
  at(event: number): number | undefined;
  read(event: number, at: number): CapabilitySets;
  /**
   * Says what is wrong with the sets in an event; undefined: nothing, or there are none. They are the last
   * ones of its bytes before the environment, whose number is `length`.
   */
  fault(event: number, length: number): string | undefined;
}

/** Makes a reader of the sets that follow the arguments, at the next multiple of 8. */
export function createCapabilitiesReader({ u32, big, end }: EventView): CapabilitiesReader {
  function at(event: number): number | undefined {
    const hasSets = (u32(event + execEvent.flags) & execFlags.execCapabilities) !== 0;
    return hasSets ? Math.ceil(end(event, execEvent.args) / 8) * 8 : undefined;
  }

  return {
    at,
    read: (event, from) => ({
      permitted: capabilitiesText(big(from + execCapabilities.permitted)),
      inheritable: capabilitiesText(big(from + execCapabilities.inheritable)),
      bounding: capabilitiesText(big(from + execCapabilities.bounding)),
      isBounded: (u32(event + execEvent.flags) & execFlags.execBounded) !== 0,
      ambient: capabilitiesText(big(from + execCapabilities.ambient)),
    }),
    fault: (event, length) => {
      const from = at(event);
      if (from === undefined) return undefined;
      const isSound =
        from >= event + execEvent.bytes && from + execCapabilities.bytes === event + length;
      return isSound ? undefined : 'capabilities not behind the arguments';
    },
  };
}

/** Returns a set of capabilities in the form of records. */
export function capabilitiesText(set: bigint): string {
  return set.toString(16).padStart(16, '0');
}
