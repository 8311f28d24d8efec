import { deepEqual, equal, match } from 'node:assert/strict';
import { test } from 'node:test';
import { createFilter } from '../../agent/export/read/filter.ts';
import { evadableRules, parseRules } from '../../agent/export/read/rules.ts';
import {
  execLine,
  execLines,
  journalLine,
  type LineOptions,
  sameLines,
} from '../support/journal/lines.ts';
import { createExportBed } from '../support/otlp/export-bed.ts';
import { provesHistory } from '../support/otlp/history.ts';
import { isWithheld } from '../support/otlp/withheld.ts';
import { until } from '../support/until.ts';

function lineOf(text: string) {
  const bytes = Buffer.from(`{}\n${text}\n`);
  return { bytes, from: 3, to: bytes.length - 1 };
}

/** What the record of a process on the host has. */
const HOST = ',"process.linux.cgroup":"0::/init.scope","vcml.namespace.user":"4026531837"';
const POD = {
  'host.name': 'node-1',
  'container.id': 'c1',
  'k8s.namespace.name': 'shop',
  'k8s.container.name': 'cart',
};

/** Rules, an exec, and whether it is exported. */
const CASES: readonly (readonly [readonly string[], LineOptions, boolean])[] = [
  [[], {}, true],
  [['deny'], {}, false],
  [['allow', 'deny'], {}, true],
  [['deny namespace=shop'], { resource: POD }, false],
  [['deny namespace=shop'], {}, true],
  [['deny namespace=sho'], { resource: POD }, true],
  [['deny namespace=s*'], { resource: POD }, false],
  [['deny namespace=s?op'], { resource: POD }, false],
  [['deny namespace=S*'], { resource: POD }, true],
  [['allow namespace=shop', 'deny'], { resource: POD }, true],
  [['allow namespace=shop', 'deny'], {}, false],
  [['deny container=cart'], { resource: POD }, false],
  [['deny namespace=shop container=other'], { resource: POD }, true],
  [['deny namespace=shop container=cart'], { resource: POD }, false],
  [['deny executable=/usr/bin/*'], { executable: '/usr/bin/ls' }, false],
  [['deny executable=/usr/*'], { executable: '/usr/bin/ls' }, true],
  [['deny executable=/usr/**'], { executable: '/usr/bin/ls' }, false],
  [['deny executable=**/ls'], { executable: '/usr/bin/ls' }, false],
  [['deny executable=/usr/bin/l.'], { executable: '/usr/bin/ls' }, true],
  [['deny executable=/a+(b)[c]^$|{d}'], { executable: '/a+(b)[c]^$|{d}' }, false],
  [['deny executable=/a**'], { executable: '/a\nb' }, false],
  [['deny origin=host'], { more: HOST }, false],
  [['deny origin=host'], { more: HOST, resource: POD }, true],
  [['deny origin=container'], { more: HOST }, true],
  [['deny origin=container'], { resource: POD }, false],
  // A user's namespace, or a cgroup that is not known: what is doubtful is exported.
  [['deny origin=host'], { more: HOST.replace('4026531837', '4026532999') }, true],
  [['deny origin=host'], { more: HOST.replace('linux.cgroup', 'other') }, true],
  [['deny origin=container'], {}, true],
  [['allow origin=host', 'deny'], {}, true],
  [['allow origin=container', 'deny'], {}, true],
  [['allow origin=container', 'deny'], { more: HOST }, false],
  [
    ['deny origin=host executable=/usr/bin/runc'],
    { executable: '/usr/bin/runc', more: HOST },
    false,
  ],
  [
    ['deny origin=host executable=/usr/bin/runc'],
    { executable: '/usr/bin/runc', resource: POD },
    true,
  ],
  [['deny entry=exec'], { more: ',"vcml.entry":"exec"' }, false],
  [['deny entry=start'], { more: ',"vcml.entry":"exec"' }, true],
  [['deny entry=none'], { more: ',"vcml.entry":"exec"' }, true],
  [['deny entry=none'], {}, false],
  [['  deny   entry=none  '], {}, false],
];

for (const [rules, options, passes] of CASES)
  test(`${JSON.stringify(rules)} ${passes ? 'exports' : 'keeps back'} ${JSON.stringify(options)}`, async () => {
    const filter = createFilter(parseRules(rules));
    equal(filter.mayPass(lineOf(execLine(1, options))), passes);
    deepEqual([...filter.kept], []);
    equal(filter.withheld(lineOf(execLine(1, options))) === undefined, passes);
  });

test('records about the journal are always exported', async () => {
  const stop = lineOf(journalLine('journal.stop', 1, ',"vcml.hook.state":"kept"'));
  equal(createFilter(parseRules(['deny'])).withheld(stop), undefined);
});

/** Rules, and those of them with which a pod can hide from the export. */
const EVADABLE: readonly (readonly [rules: readonly string[], evadable: readonly string[]])[] = [
  [['deny executable=/usr/bin/runc'], ['deny executable=/usr/bin/runc']],
  [['deny container=istio-proxy'], ['deny container=istio-proxy']],
  [['deny origin=container executable=/pause'], ['deny origin=container executable=/pause']],
  [['deny namespace=* container=a'], ['deny namespace=* container=a']],
  [['deny namespace=** executable=/a'], ['deny namespace=** executable=/a']],
  [
    ['deny entry=none executable=/a', 'deny executable=/b'],
    ['deny entry=none executable=/a', 'deny executable=/b'],
  ],
  [['deny origin=host executable=/usr/bin/runc'], []],
  [['deny namespace=kube-* container=coredns'], []],
  [['allow executable=/bin/sh', 'deny'], []],
  [['deny', 'deny executable=/a'], []],
  [['allow origin=container', 'deny executable=/usr/bin/runc'], []],
  [['deny executable=/a', 'allow origin=container'], ['deny executable=/a']],
  [['deny namespace=kube-system entry=none', 'deny origin=host'], []],
];

for (const [rules, evadable] of EVADABLE)
  test(`${evadable.length} of ${JSON.stringify(rules)} can be evaded by a pod`, async () => {
    deepEqual(
      evadableRules(parseRules(rules)).map(({ text }) => text),
      evadable,
    );
  });

test('all problems of rules are reported at once', async () => {
  let message = '';
  try {
    parseRules([
      'block a=b',
      'deny',
      'deny pod=x',
      'allow entry=maybe',
      'deny origin',
      'deny origin=',
    ]);
  } catch (error) {
    message = (error as Error).message;
  }
  match(message, /"block a=b" must begin with allow or deny/);
  match(message, /"deny pod=x": "pod=x" must be namespace=…, /);
  match(message, /entry must be start or exec or none/);
  equal(message.split('; ').length, 6);
});

test('records that are kept back are counted by rule, and the cursor advances', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect();
  const running = bed.start(collector.port, {
    rules: [
      'allow executable=/usr/bin/p1?',
      'deny executable=/usr/bin/p?',
      'deny origin=container',
    ],
  });
  await bed.write(...execLines(0, 30), execLine(30, { resource: POD }));
  await until('the journal’s end', () => running.position.offset === bed.journal.position.offset);
  const received = collector.lines.filter((line) => !isWithheld(line));
  sameLines(received, execLines(10, 30));
  provesHistory({ received: collector.lines, journal: bed.lines() });
  deepEqual(
    [...running.keptBack],
    [
      ['deny executable=/usr/bin/p?', 10],
      ['deny origin=container', 1],
    ],
  );
  equal(bed.lines().length, 31);
});
