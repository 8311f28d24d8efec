import { equal, match } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from '../support/agent.ts';
import { rewriteSegment } from '../support/evidence/rewrite-segment.ts';
import { vcml } from '../support/forensics.ts';
import { segmentName } from '../support/journal/segment-name.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { Cluster } from './cluster.ts';
import { createRealCollector, NO_COLLECTOR } from './export/collector.ts';
import { container, pod, waitForPhase } from './pods.ts';

const cluster = await Cluster.start();
after(() => cluster[Symbol.asyncDispose]());

/** The mark of what the attacker runs, and wants to have removed. */
const TRACE = 'stolen-secret';
/** Finds it, and does not itself contain it: its record may be written after the deed. */
const PATTERN = 'stolen-secre[t]';
/** The last thing that it runs before. */
const LATER = 'so-far-so-good';

test('a root who broke out of a container cannot erase its trace unnoticed', {
  skip: NO_COLLECTOR,
}, async (t) => {
  const dir = temporaryFolder(t);
  const collector = await createRealCollector(t, dir);
  await collector.start();
  const exporting = ['--export-endpoint', `http://127.0.0.1:${collector.port}`];
  const agent = new Agent({ args: [...exporting, '--checkpoint-interval', '1s'] });
  t.after(() => agent.close());
  await agent.start();
  await cluster.apply(breakout(agent.journalDir));
  await waitForPhase(cluster, 'Running', 'breakout');
  await execInside(`/bin/true ${TRACE}; /bin/true ${LATER}`);
  const witness = join(dir, 'received.jsonl');
  await agent.journal.marked(LATER);
  await collector.written(LATER);
  await witnessedAfter(LATER);

  // The agent records while a root of the node cuts its line out of the journal.
  const file = segmentName(1);
  await execInside(
    `grep -v ${PATTERN} /host/${file} >/tmp/without; cat /tmp/without >/host/${file}`,
  );
  const erased = readFileSync(join(agent.journalDir, file), 'utf8');
  equal(erased.includes(TRACE), false);
  const plain = await vcml('audit', agent.journalDir);
  equal(plain.code, 1);
  match(plain.stdout, /BLOCK_CHANGED/);

  // With the agent's own code, every checkpoint can be made again, but not what left the node.
  await agent.stop();
  writeFileSync(join(agent.journalDir, file), rewriteSegment(Buffer.from(erased)));
  const rewritten = await vcml('audit', agent.journalDir);
  equal(rewritten.stdout.includes('BLOCK_CHANGED'), false, rewritten.stdout);
  const compared = await vcml('audit', agent.journalDir, '--witness', witness);
  equal(compared.code, 1);
  match(compared.stdout, /WITNESS_FORKED/);
  const kept = await vcml('query', witness, '--output', 'jsonl');
  match(kept.stdout, new RegExp(TRACE));

  // The rewritten journal can be sent to the collector, too. What arrived first counts.
  rmSync(join(agent.journalDir, 'export-cursor.json'));
  const before = collector.lines().length;
  const args = [
    '--journal-dir',
    agent.journalDir,
    '--pin-dir',
    agent.pinDir,
    '--on-exit',
    'detach',
  ];
  const sender = spawn(agent.bin, ['run', ...args, ...exporting, '--print', 'none']);
  t.after(() => sender.kill('SIGKILL'));
  while (collector.lines().length < 2 * before - 10) await sleep(200);
  sender.kill('SIGTERM');
  await once(sender, 'exit');
  const sent = await vcml('audit', agent.journalDir, '--witness', witness);
  equal(sent.code, 1);
  match(sent.stdout, /WITNESS_CONTRADICTS/);
  match(sent.stdout, /WITNESS_FORKED/);

  async function witnessedAfter(mark: string): Promise<void> {
    const isWitnessed = () => {
      const lines = collector.lines();
      const at = lines.findIndex((line) => line.includes(mark));
      return lines.slice(at).some((line) => line.includes('"action":"journal.checkpoint"'));
    };
    while (!isWitnessed()) await sleep(200);
  }
});

function breakout(journalDir: string) {
  return pod(
    'breakout',
    [
      container('main', ['sleep', '1000'], {
        securityContext: { privileged: true },
        volumeMounts: [{ name: 'host', mountPath: '/host' }],
      }),
    ],
    { volumes: [{ name: 'host', hostPath: { path: journalDir } }] },
  );
}

function execInside(command: string): Promise<unknown> {
  return cluster.kubectl('exec', 'breakout', '--', 'sh', '-c', command);
}
