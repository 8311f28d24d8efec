import { parentPort } from 'node:worker_threads';
import { scanFile } from './scan-file.ts';

/** The thread's side of scan-threads.ts: it gets one file after the other. */
parentPort?.on('message', async (file) => {
  const scanned = await scanFile(file).catch(() => undefined);
  const { rows: _, ...columns } = scanned?.columns ?? { rows: 0 };
  parentPort?.postMessage(scanned, Object.values(columns));
});
