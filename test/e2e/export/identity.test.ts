import { match } from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAuthority } from '../../support/authority.ts';
import { execLine, execLines, sameLines } from '../../support/journal/lines.ts';
import { createExportBed, NO_FILES } from '../../support/otlp/export-bed.ts';
import { until } from '../../support/until.ts';
import { createRealCollector, NO_COLLECTOR } from './collector.ts';

const options = { skip: NO_COLLECTOR };

test(
  'nothing is lost when the collector’s token changes, and then the agent’s',
  options,
  async (t) => {
    const bed = await createExportBed(t);
    const collector = await createRealCollector(t, bed.dir);
    const expected = join(bed.dir, 'expected-token');
    const token = join(bed.dir, 'token');
    const settings = {
      grpc: ['auth:', '  authenticator: bearertokenauth'],
      extensions: `extensions:\n  bearertokenauth:\n    filename: ${expected}\n`,
      serviceExtensions: '[bearertokenauth]',
    };
    writeFileSync(expected, 'one');
    writeFileSync(token, 'one\n');
    await collector.start(settings);
    bed.start(collector.port, { files: { ...NO_FILES, token } });
    await bed.write(...execLines(0, 10));
    await collector.written('"/usr/bin/p9"');
    await collector.stop('SIGTERM');
    writeFileSync(expected, 'two');
    await collector.start(settings);
    await bed.write(...execLines(10, 20));
    await until('the denial', () => /"code":"UNAUTHENTICATED"/.test(bed.log.join('\n')));
    match(bed.log.join('\n'), /^error export\.collector_denied /m);
    writeFileSync(token, 'two\n');
    await collector.written('"/usr/bin/p19"');
    sameLines(collector.lines(), execLines(0, 20));
  },
);

test(
  'nothing is lost when authority, server certificate and client certificate change',
  options,
  async (t) => {
    const bed = await createExportBed(t);
    const collector = await createRealCollector(t, bed.dir);
    const [first, second] = ['first', 'second'].map((name) => createAuthority(bed.dir, name));
    if (first === undefined || second === undefined) throw new Error('two authorities were made');
    const files = {
      certificate: join(bed.dir, 'ca.crt'),
      clientCertificate: join(bed.dir, 'tls.crt'),
      clientKey: join(bed.dir, 'tls.key'),
    };
    for (const [round, authority] of [first, second].entries()) {
      const [server, client] = [authority.issue('server'), authority.issue('client')];
      await collector.start({
        grpc: [
          'tls:',
          `  cert_file: ${server.certificate}`,
          `  key_file: ${server.key}`,
          `  client_ca_file: ${authority.certificate}`,
        ],
      });
      if (round === 1) {
        await bed.write(execLine(1));
        await until('the warning', () => /"code":"UNAVAILABLE"/.test(bed.log.join('\n')));
      }
      writeFileSync(files.certificate, readFileSync(authority.certificate));
      writeFileSync(files.clientCertificate, readFileSync(client.certificate));
      writeFileSync(files.clientKey, readFileSync(client.key));
      if (round === 0) {
        const endpoint = `https://localhost:${collector.port}`;
        bed.start(endpoint, { files: { ...NO_FILES, ...files } });
        await bed.write(execLine(0));
      }
      await collector.written(`"/usr/bin/p${round}"`);
      await collector.stop('SIGTERM');
    }
    sameLines(collector.lines(), execLines(0, 2));
  },
);
