import { equal } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const AGENT = join(import.meta.dirname, '../../agent');

// What was loaded once stays loaded, so that each case has a process of its own.
for (const [endpoint, isLoaded] of [
  ['unix:///run/pods-api.sock', true],
  ['https://127.0.0.1:10250', false],
] as const)
  test(`what the pods of ${endpoint} take is loaded before the hook is armed`, () => {
    const script = `
      import { createRequire } from 'node:module';
      import { schema } from '${AGENT}/config/schema.ts';
      import { loadPodSource } from '${AGENT}/run/wiring.ts';
      await loadPodSource(schema.parse({ metadata: 'kubelet', nodeName: 'n', kubeletEndpoint: '${endpoint}' }));
      const { cache } = createRequire(import.meta.url);
      console.log(Object.keys(cache).some((file) => file.includes('/@grpc/grpc-js/')));
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    equal(`${stdout}${stderr}`.trim(), `${isLoaded}`);
  });
