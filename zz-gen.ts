import { generateJournal } from './bench/forensics/generate-journal.ts';
await generateJournal('/tmp/j10m', 10_000_000, true);
