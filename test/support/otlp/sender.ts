/**
 * Exports a journal's folder to an endpoint as fast as possible, and prints the cost as JSON:
 * sender.ts FOLDER ENDPOINT SEGMENT OFFSET. The last two are the end of the journal.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { CredentialFiles } from '../../../agent/export/connect/credential-files.ts';
import { prepareExport } from '../../../agent/export/prepare-export.ts';
import { readLines, readText } from '../../../agent/journal/read.ts';
import { LOG_EVENTS, type Log } from '../../../agent/log-events.ts';

const NO_FILES = {
  certificate: undefined,
  clientCertificate: undefined,
  clientKey: undefined,
  token: undefined,
  headers: undefined,
  fixedHeaders: {},
};
const [dir = '', endpoint = '', segment = '', offset = ''] = process.argv.slice(2);
const oldest = { segment: 1, offset: 0 };
const end = { segment: Number(segment), offset: Number(offset) };
const log: Log = (code, fields) => {
  if (LOG_EVENTS[code].level !== 'info') console.error(code, fields);
};
const prepared = prepareExport({
  version: 'test',
  endpoint,
  insecure: false,
  credentials: new CredentialFiles(NO_FILES, console.error),
  compression: 'gzip',
  timeoutMs: 10_000,
  catchUpRate: 0,
  rules: [],
  mayBeUnsynced: false,
  log,
  batchRecords: 8192,
  batchBytes: 1 << 20,
  batchAgeMs: 200,
});
const began = performance.now();
let early = 0;
let peak = 0;
const running = prepared.start({
  dir,
  oldest,
  findOldest: async () => oldest,
  end,
  readLines: (from) => readLines(dir, from),
  readText: (from) => readText(dir, from),
});
for (; running.position.offset < end.offset; await pause(50)) {
  const { rss } = process.memoryUsage();
  peak = Math.max(peak, rss);
  // By then everything is loaded and compiled.
  if (running.position.offset < end.offset / 5) early = Math.max(early, rss);
}
const seconds = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage();
await running.close(1000);
process.stdout.write(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, early, peak }));
process.exit();
