import type { TestEvent } from 'node:test/reporters';

/**
 * A reporter for node:test: a line for each test that failed, and nothing else. `make test` prints
 * the lines of all its stages at its end, where a log that was cut still has them.
 */
// biome-ignore lint/style/noDefaultExport: node:test calls the default export.
export default async function* failures(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type !== 'test:fail') continue;
    const { name, file, line, details } = event.data;
    const { error } = details;
    if ('failureType' in error && error.failureType === 'subtestsFailed') continue;
    const [message] = String(error.cause ?? error.message).split('\n');
    yield `${file ?? ''}:${String(line ?? '')} ${name}: ${message ?? ''}\n`;
  }
}
