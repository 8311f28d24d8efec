import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../support/free-ports.ts';
import { type LogsData, linesOf } from '../../support/otlp/otlp.ts';

/** The OpenTelemetry Collector that the end-to-end tests build; undefined if it was not built. */
export const OTELCOL =
  process.env.KUBE_BIN === undefined ? undefined : join(process.env.KUBE_BIN, 'otelcol');

/** The reason to skip a test, for node:test; false if the collector exists. */
export const NO_COLLECTOR =
  OTELCOL !== undefined && existsSync(OTELCOL)
    ? false
    : 'KUBE_BIN names no folder with a built otelcol';

export interface CollectorSettings {
  /** Settings under receivers.otlp.protocols.grpc, as one line of YAML each. */
  readonly grpc?: readonly string[];
  /** More configuration, as YAML. */
  readonly extensions?: string;
  readonly serviceExtensions?: string;
}

/** A collector that writes what it receives to a file. */
export interface RealCollector {
  readonly port: number;
  readonly process: ChildProcess;
  start(settings?: CollectorSettings): Promise<void>;
  stop(signal: NodeJS.Signals): Promise<void>;
  /** Waits until its file contains a text. */
  written(text: string): Promise<void>;
  /** Returns what all its runs have written, as lines of a journal. */
  lines(): string[];
  /** Its output. */
  said(): string;
}

/** Prepares a collector in a folder, on a port that it keeps, and does not start it. */
export async function createRealCollector(t: TestContext, dir: string): Promise<RealCollector> {
  const port = await freePort();
  const file = join(dir, 'received.jsonl');
  const config = join(dir, 'collector.yaml');
  let child: ChildProcess | undefined;
  let text = '';
  async function stop(signal: NodeJS.Signals): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
  t.after(() => stop('SIGKILL'));
  return {
    port,
    get process() {
      if (child === undefined) throw new Error('the collector was never started');
      return child;
    },
    async start(settings = {}) {
      writeFileSync(config, configOf(port, file, settings));
      child = spawn(OTELCOL ?? '', ['--config', config], { stdio: ['ignore', 'pipe', 'pipe'] });
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (data) => {
          text += data;
        });
      for (const deadline = Date.now() + 180_000; !(await answers(port)); ) {
        if (child.exitCode !== null || Date.now() > deadline)
          throw new Error(`the collector does not listen: ${text}`);
        await sleep(50);
      }
    },
    stop,
    async written(wanted) {
      for (const deadline = Date.now() + 120_000; ; await sleep(200)) {
        if (existsSync(file) && readFileSync(file).includes(wanted)) return;
        if (Date.now() > deadline) throw new Error(`${wanted} has not come: ${text}`);
      }
    },
    lines: () => (existsSync(file) ? receivedIn(file) : []),
    said: () => text,
  };
}

function receivedIn(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => linesOf(JSON.parse(line) as LogsData));
}

function configOf(port: number, file: string, settings: CollectorSettings): string {
  const { grpc = [], extensions = '', serviceExtensions = '[]' } = settings;
  return `
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:${port}
${grpc.map((line) => `        ${line}\n`).join('')}
exporters:
  file:
    path: ${file}
    # What rotates is written through: no acknowledged record is in a buffer when the collector is killed.
    rotation:
      max_megabytes: 10000
${extensions}
service:
  extensions: ${serviceExtensions}
  telemetry:
    metrics:
      level: none
  pipelines:
    logs:
      receivers: [otlp]
      exporters: [file]
`;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
