import { appendFile } from 'node:fs/promises';
import { readPlainFile, replaceFile } from '../files.ts';
import type { ContainerFacts } from './container-resource.ts';

/** The facts about a container that its cgroup does not give. */
export type KnownFacts = Pick<ContainerFacts, 'state' | 'pod'>;

/**
 * Remembers facts about containers by their keys, also about those that ended before the agent
 * started.
 */
export interface ContainerMemory {
  /** Parses a line of JSON. */
  recall(key: string): KnownFacts | undefined;
  keep(key: string, facts: KnownFacts): void;
  /**
   * Resolves when everything that is kept by now is in the file, or cannot be written now; undefined: it
   * is in the file, or is tried again later. Who asks begins that.
   */
  readonly saving: Promise<void> | undefined;
}

export interface ContainerMemoryOptions {
  readonly file: string;
  /** The options that decide which facts are kept; facts of another configuration are forgotten. */
  readonly configuration: string;
  /**
   * Called when the file cannot be written; the next run then knows less, and nothing else is lost.
   */
  onProblem(error: Error): void;
}

/** As many containers as the enricher keeps in memory, and the characters of their lines. */
const CONTAINERS_MAX = 4096;
const LENGTH_MAX = 6 << 20;
/** After a failed write, the file is written again when somebody asks after this time. */
const RETRY_MS = 1000;
/** The file is rewritten when it has this many outdated lines, or characters in them. */
const SUPERSEDED_MAX = 4096;
const SUPERSEDED_LENGTH_MAX = 6 << 20;

/**
 * Opens the memory in a file of JSON lines: first the configuration, then a key and facts in each
 * line; the last line of a key counts. Invalid lines, such as one that a crash cut, are skipped.
 * The file is not synced: a killed agent loses none of it, and after a power cut the hook is gone
 * as well.
 */
export function openContainerMemory(options: ContainerMemoryOptions): ContainerMemory {
  const { file, configuration, onProblem } = options;
  const head = JSON.stringify({ configuration });
  const known = new Map<string, string>();
  let length = 0;
  let superseded = 0;
  let supersededLength = 0;
  const [first, ...lines] = linesOf(file);
  let unsaved: string[] = [];
  /** the last write, which may still wait for the one before it */
  let saving: Promise<void> | undefined;
  let isWaiting = false;
  let retryAt = Number.POSITIVE_INFINITY;
  const isOurs = first === head;
  // Then the file is written with the next container: as a whole, and not only its line, which would
  // continue a line that was cut.
  let isStale = !isOurs || lines.at(-1) !== '';
  for (const line of isOurs ? lines : []) {
    const key = parse(line)?.key;
    if (key !== undefined) remember(key, line);
  }

  function remember(key: string, line: string): void {
    forget(key);
    known.set(key, line);
    length += line.length;
    for (const oldest of known.keys()) {
      if (known.size <= CONTAINERS_MAX && length <= LENGTH_MAX) break;
      forget(oldest);
    }
  }

  function forget(key: string): void {
    const line = known.get(key);
    if (line === undefined) return;
    known.delete(key);
    length -= line.length;
    superseded += 1;
    supersededLength += line.length;
  }

  /** Begins a write of everything that is unsaved, unless one still waits: that takes it, too. */
  function begin(): void {
    if (isWaiting) return;
    isWaiting = true;
    saving = save(saving);
  }

  async function save(before: Promise<void> | undefined): Promise<void> {
    await before;
    isWaiting = false;
    const lines = unsaved;
    unsaved = [];
    retryAt = Number.POSITIVE_INFINITY;
    try {
      await write(lines);
    } catch (error) {
      // The file may lack lines, or end with a part of one.
      isStale = true;
      retryAt = performance.now() + RETRY_MS;
      onProblem(error as Error);
    }
    if (!isWaiting) saving = undefined;
  }

  async function write(lines: readonly string[]): Promise<void> {
    const isLong = superseded >= SUPERSEDED_MAX || supersededLength >= SUPERSEDED_LENGTH_MAX;
    if (!isStale && !isLong) {
      await appendFile(file, `${lines.join('\n')}\n`);
      return;
    }
    const text = [head, ...known.values(), ''].join('\n');
    isStale = false;
    superseded = 0;
    supersededLength = 0;
    await replaceFile(file, text, { durable: false });
  }

  return {
    recall(key) {
      const line = known.get(key);
      return line === undefined ? undefined : parse(line)?.facts;
    },
    keep(key, { state, pod }) {
      const line = JSON.stringify({ key, facts: { state, pod } });
      if (known.get(key) === line) return;
      remember(key, line);
      if (unsaved.length >= CONTAINERS_MAX) {
        unsaved = [];
        isStale = true;
      }
      unsaved.push(line);
      begin();
    },
    get saving() {
      if (performance.now() >= retryAt) begin();
      return saving;
    },
  };
}

function linesOf(file: string): string[] {
  try {
    return readPlainFile(file).split('\n');
  } catch {
    return []; // it is missing or unreadable, and will be written again
  }
}

/** Returns only sound facts: nothing else in the file may end the enrichment. */
function parse(line: string): { readonly key: string; readonly facts: KnownFacts } | undefined {
  try {
    const { key, facts } = JSON.parse(line);
    const isSound =
      typeof key === 'string' && isStateOrNone(facts?.state) && isPodOrNone(facts?.pod);
    return isSound ? { key, facts: { state: facts.state, pod: facts.pod } } : undefined;
  } catch {
    return undefined;
  }
}

function isStateOrNone(value: unknown): boolean {
  if (value === undefined) return true;
  return Array.isArray(((value ?? {}) as Record<string, unknown>).variables);
}

function isPodOrNone(value: unknown): boolean {
  if (value === undefined) return true;
  const pod = (value ?? {}) as Record<string, unknown>;
  const { uid, name, namespace, containers, attributes } = pod;
  return (
    [uid, name, namespace].every((text) => typeof text === 'string') &&
    Array.isArray(containers) &&
    typeof attributes === 'object' &&
    attributes !== null
  );
}
