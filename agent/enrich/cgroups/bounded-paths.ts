/** The UTF-16 units of paths for each of them on average; most units take one byte. */
const LENGTH_MEAN = 512;

/** Paths by key. It drops the oldest if there are too many, or if they are too long together. */
export class BoundedPaths {
  readonly #entriesMax: number;
  readonly #lengthMax: number;
  readonly #paths = new Map<string, string>();
  #length = 0;

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
    this.#lengthMax = LENGTH_MEAN * entriesMax;
  }

  has(key: string): boolean {
    return this.#paths.has(key);
  }

  get(key: string): string | undefined {
    return this.#paths.get(key);
  }

  /** Adds a path as the newest. */
  set(key: string, path: string): void {
    this.delete(key);
    this.#paths.set(key, path);
    this.#length += path.length;
    for (const oldest of this.#paths.keys()) {
      if (this.#paths.size <= this.#entriesMax && this.#length <= this.#lengthMax) break;
      this.delete(oldest);
    }
  }

  /** Adds a path only if there is room without dropping another one. */
  add(key: string, path: string): void {
    if (this.#paths.has(key) || this.#paths.size >= this.#entriesMax) return;
    if (this.#length + path.length <= this.#lengthMax) this.set(key, path);
  }

  delete(key: string): void {
    const path = this.#paths.get(key);
    if (path === undefined) return;
    this.#paths.delete(key);
    this.#length -= path.length;
  }
}
