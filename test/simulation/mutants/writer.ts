import type { Mutant } from './mutant.ts';

const JOURNAL = 'agent/journal/journal.ts';
const SYNCING = 'agent/journal/syncing.ts';
const OPEN_SEGMENT = 'agent/journal/open-segment.ts';
const TORN_TAIL = 'agent/journal/torn-tail.ts';
const FILES = 'agent/files.ts';
const COMPRESS = 'agent/journal/archive/compress.ts';
const DELETIONS = 'agent/journal/archive/deletions.ts';

/** Faults of what writes, closes, compresses and deletes segments. */
export const WRITER: readonly Mutant[] = [
  {
    name: 'a short write counts as a whole one',
    file: JOURNAL,
    before: '    written += bytesWritten;\n',
    after: '    written += Math.max(bytesWritten, length);\n',
    why: 'On most disks write(2) takes everything, so nobody looks at what it returns.',
  },
  {
    name: 'a torn batch is not cut off before the next attempt',
    file: JOURNAL,
    before: '      if (this.#torn) await this.#takeBack();\n',
    after: '',
    why: 'The batch is taken back right after the failed write, so a second time seems superfluous.',
  },
  {
    name: 'sync always does not sync',
    file: JOURNAL,
    before: "      if (this.#options.sync === 'always') await this.#syncing.all();\n",
    after: '',
    why: 'The line is lost when somebody moves the syncs to a timer.',
  },
  {
    name: 'a complete segment is not synced',
    file: SYNCING,
    before: '    else await open().handle.datasync();\n',
    after: '',
    why: 'A sync of the folder looks as if it covered the files in it.',
  },
  {
    name: 'the name of a new segment is not synced',
    file: SYNCING,
    before: '    if (this.#areNamesDue) await syncFolder(this.#options.dir);\n',
    after: '',
    why: 'A sync of a file looks as if it covered its name.',
  },
  {
    name: 'lines that come while a sync runs are never synced',
    file: SYNCING,
    before: '    if (this.#dirty && !this.#isClosing) this.#later();\n',
    after: '',
    why: 'The next append sets the timer anyway, if there is a next append.',
  },
  {
    name: 'no sync follows one that failed',
    file: SYNCING,
    before: '      this.#isFailing = true;\n      this.#dirty = true;\n',
    after: '      this.#isFailing = true;\n',
    why: 'The failure is reported, and the next append sets the timer.',
  },
  {
    name: 'lines are appended to a segment that is compressed',
    file: OPEN_SEGMENT,
    before: '  const reopen = newest !== undefined && !newest.compressed;\n',
    after: '  const reopen = newest !== undefined;\n',
    why: 'The newest segment is nearly never compressed.',
  },
  {
    name: 'a torn tail counts towards the size of the open segment',
    file: OPEN_SEGMENT,
    before: '  const size = file.size - tornBytes;\n',
    after: '  const size = file.size;\n',
    why: 'The statistics were read before the tail was cut, which is easy to overlook.',
  },
  {
    name: 'a segment is opened without O_APPEND',
    file: 'agent/journal/folder.ts',
    before: '    handle = await open(file, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);\n',
    after: '    handle = await open(file, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);\n',
    why: 'The file is read at positions, too, for which the flag looks wrong.',
  },
  {
    name: 'zeros of a power cut stay in a segment',
    file: TORN_TAIL,
    before: '  const end = await lastLineEnd(file, await firstHole(file, size));\n',
    after: '  const end = await lastLineEnd(file, size);\n',
    why: 'Files with zeros in their middle are rare, and reading everything is slow.',
  },
  {
    name: 'the last line feed is cut, too',
    file: FILES,
    before: '    if (at >= 0) return start + at + 1;\n',
    after: '    if (at >= 0) return start + at;\n',
    why: 'An error by one.',
  },
  {
    name: 'a plain segment is removed before its compressed name is on disk',
    file: COMPRESS,
    before: '  await syncFolder(dir);\n  await rm(plain);\n',
    after: '  await rm(plain);\n  await syncFolder(dir);\n',
    why: 'One sync at the end seems to be enough for both changes.',
  },
  {
    name: 'a compressed segment gets its name before its bytes are on disk',
    file: COMPRESS,
    before: '      await to.sync();\n',
    after: '',
    why: 'The line is easy to lose, and nothing but a power cut shows it.',
  },
  {
    name: 'a deletion is not noted before it happens',
    file: DELETIONS,
    before: '      await this.#write({ mayUseReserve: true });\n',
    after: '',
    why: 'The file is written again when the deletion is recorded, so one write looks like enough.',
  },
  {
    name: 'a deletion that is recorded already is recorded again after a restart',
    file: DELETIONS,
    before: '        strike(one, line, segment);\n',
    after: '        void [line, segment];\n',
    why: 'The file of deletions looks as if it only had what is not recorded yet.',
  },
  {
    name: 'a deletion is forgotten before its record is on disk',
    file: DELETIONS,
    before: '        if (segment !== deleted) await this.#sync(syncSegment(this.#dir, segment));\n',
    after: '        void segment;\n',
    why: 'The journal syncs by its own policy, which looks like enough.',
  },
  {
    name: 'the record of earlier deletions is deleted without another',
    file: 'agent/journal/archive/retention.ts',
    before: '      else own.firstSeq = Math.min(own.firstSeq, range.firstSeq);\n',
    after: '',
    why: 'The ranges of a segment look complete without those that it only speaks about.',
  },
];
