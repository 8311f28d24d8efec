import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { ROOT } from '../support/paths.ts';

const TEXT = readFileSync(join(ROOT, 'helm/vcml-agent/Chart.yaml'), 'utf8');
const CHART = parse(TEXT);
const SVG = 'data:image/svg+xml;base64,';

/** The categories that Artifact Hub knows; it ignores every other. */
const CATEGORIES = [
  'ai-machine-learning',
  'database',
  'integration-delivery',
  'monitoring-logging',
  'networking',
  'security',
  'storage',
  'streaming-messaging',
];

test('the icon is helm/icon.svg, and needs no server', () => {
  ok(CHART.icon.startsWith(SVG));
  const icon = Buffer.from(CHART.icon.slice(SVG.length), 'base64').toString();
  equal(icon, readFileSync(join(ROOT, 'helm/icon.svg'), 'utf8'));
  match(icon, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox/);
  doesNotMatch(icon, /href|script/);
});

test('the maintainer is the project, and the chart names no person, address or URL', () => {
  deepEqual(CHART.maintainers, [{ name: CHART.name }]);
  doesNotMatch(TEXT, /@|https?:/);
});

test('Artifact Hub gets texts of the forms that it reads', () => {
  const { annotations } = CHART;
  const license = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).license;
  const of = (name: string) => annotations[`artifacthub.io/${name}`];
  ok(CATEGORIES.includes(of('category')));
  equal(of('license'), license);
  for (const name of ['operator', 'prerelease', 'containsSecurityUpdates'])
    match(of(name), /^(true|false)$/);
  for (const [key, value] of Object.entries(annotations)) {
    match(key, /^artifacthub\.io\//);
    equal(typeof value, 'string');
  }
});
