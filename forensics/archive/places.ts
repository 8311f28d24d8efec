import { join } from 'node:path';
import { LINES } from '../inputs/names.ts';
import type { Temporary } from '../inputs/temporary.ts';
import type { Chosen } from './choose.ts';

/** Where objects are kept: nothing of a key but the number of a segment is the name of a file. */
export class Places {
  readonly #temporary: Temporary;
  readonly #folders = new Map<string, string>();
  #files = 0;

  constructor(temporary: Temporary) {
    this.#temporary = temporary;
  }

  of({ folder, name, isSegment }: Chosen): string {
    const place = this.#folders.get(folder) ?? this.#temporary.folder();
    this.#folders.set(folder, place);
    if (isSegment) return join(place, name);
    this.#files += 1;
    return join(place, `${this.#files}${LINES.exec(name)?.[0] ?? ''}`);
  }
}
