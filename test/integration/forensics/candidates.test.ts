import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Draft, exec, start, text } from '../../check/craft.ts';
import { Folder, vcml } from '../../support/forensics.ts';
import { PLACE } from './exec-requests/scene.ts';

const folder = new Folder();
after(() => folder.close());

/** The exec of `sh -c id` in a pod's container, entered from outside. */
function entry(kind: string): Draft {
  const record = exec(10, 100, 0, 1, {
    'vcml.entry': kind,
    'vcml.metadata.state': 'complete',
    'process.command_args': ['sh', '-c', 'id'],
    'process.args_count': 3,
  });
  return { ...record, resource: PLACE };
}

/** Returns the time of the record, shifted by some seconds. */
function at(seconds: number): string {
  const unix = Number((entry('exec').timestamp as bigint) / 1_000_000n) + seconds * 1000;
  return new Date(unix).toISOString().replace('Z', '000Z');
}

interface Request {
  readonly user: string;
  readonly seconds?: number;
  readonly pod?: string;
  readonly container?: string;
  readonly command?: readonly string[];
  readonly code?: number;
  readonly subresource?: string;
}

function event(request: Request): string {
  const { user, seconds = -1, pod = 'cart-0', container = 'app', code = 101 } = request;
  const { command = ['sh', '-c', 'id'], subresource = 'exec' } = request;
  const asked = new URLSearchParams([
    ...command.map((word) => ['command', word]),
    ['container', container],
  ]);
  return JSON.stringify({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    auditID: `${user}-${seconds}`,
    stage: 'ResponseComplete',
    requestURI: `/api/v1/namespaces/shop/pods/${pod}/${subresource}?${asked}`,
    verb: 'create',
    user: { username: user },
    sourceIPs: ['192.0.2.7'],
    objectRef: { resource: 'pods', namespace: 'shop', name: pod, subresource },
    responseStatus: { code },
    requestReceivedTimestamp: at(seconds),
  });
}

async function chainWith(kind: string, events: readonly string[]): Promise<string> {
  const journal = folder.journal('journal.jsonl', [text(start([1])), text(entry(kind))]);
  const log = folder.journal('audit.log', events);
  const id = String(entry(kind).id);
  const { stdout, stderr, code } = await vcml('chain', id, '--audit-log', log, journal);
  assert.equal(code, 0, stderr);
  return stdout.replaceAll(/\s+/g, ' ');
}

test('a request to the same pod at about the same time is a candidate, with its evidence', async () => {
  const said = await chainWith('exec', [event({ user: 'alice' }), event({ user: 'alice' })]);
  const expected =
    'candidate: pods/exec by alice from 192.0.2.7 (same pod, same container, same command, ' +
    'received 1000 ms before)';
  assert.ok(said.includes(expected), said);
  assert.equal(said.match(/candidate/g)?.length, 1, 'each request once, however many stages');
});

test('the candidate with the same command comes first, and another command is shown', async () => {
  const said = await chainWith('exec', [
    event({ user: 'bob', seconds: -0.5, command: ['cat', '/etc/passwd'] }),
    event({ user: 'carol', seconds: -3 }),
  ]);
  assert.match(said, /by carol .*same command.* by bob .*other command: cat \/etc\/passwd/);
});

for (const [what, request] of Object.entries({
  'another pod': { user: 'x', pod: 'cart-1' },
  'a refused request': { user: 'x', code: 403 },
  'a request long before': { user: 'x', seconds: -120 },
  'a request after it': { user: 'x', seconds: 30 },
  'a request for something else': { user: 'x', subresource: 'log' },
}))
  test(`${what} is no candidate`, async () => {
    assert.doesNotMatch(await chainWith('exec', [event(request)]), /candidate/);
  });

test('a request for another container is the last candidate, and says so', async () => {
  const said = await chainWith('exec', [
    event({ user: 'alice', container: 'side car' }),
    event({ user: 'bob', seconds: -3, command: ['ls'] }),
  ]);
  assert.match(
    said,
    /by bob .*same container, other command.* by alice .*other container: 'side car', same command/,
  );
});

test('a request that names no container is for the default one, and is a candidate', async () => {
  const said = await chainWith('exec', [event({ user: 'alice', container: '' })]);
  assert.match(said, /by alice from 192.0.2.7 \(same pod, same command, received/);
});

for (const parameters of ['container=proxy;x&container=app', 'container=%zz&container=app'])
  test(`parameters are read as the API server reads them: ${parameters}`, async () => {
    const one = event({ user: 'alice' }).replace('container=app', `command=%&${parameters}`);
    const said = await chainWith('exec', [one]);
    assert.match(said, /by alice .*same container, same command/);
  });

test('a question mark within the parameters is a part of them', async () => {
  const one = event({ user: 'alice' }).replace('/exec?', '/exec?x=?&');
  assert.match(await chainWith('exec', [one]), /by alice .*same container, same command/);
});

for (const [what, other] of Object.entries({
  'another pod': { user: 'alice', pod: 'cart-1', code: 404 },
  'another user': { user: 'bob', code: 403 },
  'another moment': { user: 'alice', seconds: -0.5, code: 403 },
  'another command': { user: 'alice', command: ['id'], code: 403 },
}))
  test(`a refused request for ${what} with the same audit ID takes nothing back`, async () => {
    const withId = (one: string) => one.replace(/"auditID":"[^"]*"/, '"auditID":"chosen"');
    const events = [event({ user: 'alice' }), event(other)].map(withId);
    for (const order of [events, events.toReversed()])
      assert.equal((await chainWith('exec', order)).match(/candidate/g)?.length, 1);
  });

test('an exec that the container itself started has no candidates', async () => {
  assert.doesNotMatch(await chainWith('start', [event({ user: 'alice' })]), /candidate/);
});

test('a user name cannot control the terminal', async () => {
  const said = await chainWith('exec', [event({ user: 'eve\x1b[2J\u202e' }), '{torn']);
  assert.match(said, /by eve\\x1b\[2J\\u\{202e\} from/);
});

test('a command with a backslash is the same command, although records escape it', async () => {
  const command = ['grep', '\\.conf$', '/etc/x'];
  const record = entry('exec');
  const attributes = {
    ...record.attributes,
    'process.command_args': ['grep', '\\\\.conf$', '/etc/x'],
  };
  const journal = folder.journal('escaped.jsonl', [
    text(start([1])),
    text({ ...record, attributes }),
  ]);
  const log = folder.journal('escaped.log', [event({ user: 'alice', command })]);
  const { stdout } = await vcml('chain', String(record.id), '--audit-log', log, journal);
  assert.match(stdout.replaceAll(/\s+/g, ' '), /same command/);
});

const SECRET = 'hunter2hunter2';

/** A record of a command with a secret, as the agent writes it, or with other words. */
function withSecret(...args: readonly string[]): Draft {
  const record = entry('exec');
  const words = args.length > 0 ? args : ['app', '--token=[redacted]', '-x'];
  return { ...record, attributes: { ...record.attributes, 'process.command_args': words } };
}

async function outputsFor(record: Draft, ...events: readonly string[]) {
  const journal = folder.journal('secret.jsonl', [text(start([1])), text(record)]);
  const log = folder.journal('secret.log', events);
  const chain = await vcml('chain', String(record.id), '--audit-log', log, journal);
  return { chain: chain.stdout.replaceAll(/\s+/g, ' '), journal, log };
}

test('a request with a secret is the same command as the record without it, and comes first', async () => {
  const { chain, journal, log } = await outputsFor(
    withSecret(),
    event({ user: 'bob', seconds: -0.5, command: ['app', `--password=${SECRET}`] }),
    event({ user: 'alice', command: ['app', `--token=${SECRET}`, '-x'] }),
  );
  assert.match(
    chain,
    /by alice .*same command but for redacted parts.* by bob .*other command: app '?--password=\[redacted\]/,
  );
  assert.ok(!chain.includes(SECRET));
  const page = join(folder.path, 'report.html');
  const id = String(entry('exec').id);
  const { code, stderr } = await vcml('report', id, '--audit-log', log, '--out', page, journal);
  assert.equal(code, 0, stderr);
  const report = readFileSync(page, 'utf8');
  assert.ok(report.includes('same command but for redacted parts'));
  assert.ok(!report.includes(SECRET));
});

test('a record that an agent did not redact, or redacted by names of its own, is compared too', async () => {
  const command = ['app', `--token=${SECRET}`, '--door-code', '4711'];
  for (const args of [command, ['app', '--token=[redacted]', '--door-code', '[redacted]']]) {
    const { chain } = await outputsFor(withSecret(...args), event({ user: 'alice', command }));
    assert.match(chain, /same command but for redacted parts/);
  }
});

test('a redacted part is anything, but the rest of a command must be the same', async () => {
  const { chain } = await outputsFor(
    withSecret(),
    event({ user: 'alice', command: ['app', `--token=${SECRET}`, '-y'] }),
    event({ user: 'bob', command: ['app', `--token=${SECRET}`] }),
  );
  assert.equal(chain.match(/other command/g)?.length, 2);
});

test('a command that was cut is the same as far as it was recorded, and comes first', async () => {
  const record = withSecret('sh', '-c', 'echo aa');
  const cut = { ...record.attributes, 'vcml.process.args_truncated': true };
  const { chain } = await outputsFor(
    { ...record, attributes: { ...cut, 'vcml.process.args_size': 99 } },
    event({ user: 'bob', seconds: -0.5, command: ['sh', '-c', 'echo bb'] }),
    event({ user: 'alice', command: ['sh', '-c', `echo ${'a'.repeat(99)}`] }),
  );
  assert.match(
    chain,
    /by alice .*same command as far as it was recorded, .* by bob .*other command: sh -c 'echo bb'/,
  );
});

test('a record without arguments has no other command, and the requested one is shown', async () => {
  const { 'process.command_args': _, ...attributes } = entry('exec').attributes as object & {
    'process.command_args': unknown;
  };
  const { chain } = await outputsFor({ ...entry('exec'), attributes }, event({ user: 'alice' }));
  assert.match(chain, /by alice .*the record has no arguments; requested: sh -c id, /);
});

for (const output of ['text', 'json', 'jsonl'])
  test(`what the log contains is reported beside ${output}`, async () => {
    const journal = folder.journal('summary.jsonl', [text(start([1])), text(entry('exec'))]);
    const log = folder.journal('summary.log', ['{torn']);
    const id = String(entry('exec').id);
    const { stderr } = await vcml('chain', id, '--output', output, '--audit-log', log, journal);
    assert.match(stderr, /0 pods\/exec requests in 1 line, 1 line without an audit event/);
  });
