import { statfsSync } from 'node:fs';
import { counted } from '../../record/describe.ts';
import type { Opening } from '../commands/reading.ts';
import { ForensicsError } from '../errors.ts';
import type { Temporary } from '../inputs/temporary.ts';
import { Journals } from '../journals.ts';
import { remark } from '../output/stderr.ts';
import { isArchive } from './address.ts';
import { chooseObjects } from './choose.ts';
import { connectS3, type S3 } from './client.ts';
import { fetchAll } from './fetch-all.ts';
import { listObjects } from './list.ts';
import { Places } from './places.ts';

const MIB = 1 << 20;

/**
 * Opens inputs, and fetches those in S3 into the temporary folder first. They are read as a whole, because neither a time in a key nor one of an object proves which records are in it.
 */
export function openArchive(inputs: readonly string[]): Opening {
  let percentage = 0;
  const onShare = (share: number) => {
    percentage = 100 * share;
  };
  return {
    get percentage() {
      return percentage;
    },
    async open(temporary) {
      const s3 = await connectS3();
      try {
        const answers = await fetched(s3, inputs.filter(isArchive), temporary, onShare);
        const paths = inputs.filter((input) => !isArchive(input));
        return await Journals.open({ ...answers, paths }, undefined, temporary);
      } finally {
        s3.close();
      }
    },
  };
}

async function fetched(
  s3: S3,
  inputs: readonly string[],
  temporary: Temporary,
  onShare: (share: number) => void,
) {
  const { objects, problems } = await listObjects(s3, inputs);
  const { chosen, problems: unknown } = chooseObjects(objects);
  const bytes = chosen.reduce((sum, one) => sum + one.object.bytes + (one.index?.bytes ?? 0), 0);
  refuseWithoutSpace(bytes, temporary);
  const places = new Places(temporary);
  let done = 0;
  const onBytes = (more: number) => {
    done += more;
    onShare(done / bytes);
  };
  const answers = await fetchAll({ s3, chosen, places, onBytes });
  remark(
    `read from S3: ${counted(answers.found.length, 'object')}, ${(done / MIB).toFixed(1)} MiB`,
  );
  return { ...answers, problems: [...problems, ...unknown, ...answers.problems] };
}

function refuseWithoutSpace(bytes: number, { path }: Temporary): void {
  if (path === undefined) return;
  const { bavail, bsize } = statfsSync(path);
  const free = bavail * bsize;
  if (bytes < free) return;
  const [needed, there] = [bytes, free].map((one) => `${Math.ceil(one / MIB)} MiB`);
  throw new ForensicsError(
    'unreadable',
    `the objects have ${needed}, and the temporary folder has ${there}: set TMPDIR to a larger disk, or name fewer objects`,
  );
}
