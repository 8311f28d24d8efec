import type { Source } from './source.ts';

const TIMESTAMP = /"timestamp"\s*:\s*(-?\d+)/;

/** Orders journals by the time of their first line; the files of one journal stay in their order. */
export async function byFirstTime(files: readonly Source[]): Promise<Source[]> {
  const journals = [...Map.groupBy(files, ({ journal }) => journal).values()];
  const timed = await Promise.all(
    journals.map(async (own) => {
      const text = await own[0]?.firstLine();
      return { own, time: BigInt(TIMESTAMP.exec(text ?? '')?.[1] ?? 0) };
    }),
  );
  return timed
    .sort((a, b) => (a.time < b.time ? -1 : Number(a.time > b.time)))
    .flatMap(({ own }) => own);
}
