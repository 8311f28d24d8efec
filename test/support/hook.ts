import { join } from 'node:path';
import { createDecoder } from '../../agent/source/decode.ts';
import { type Hook, type HookOptions, openHook } from '../../agent/source/hook.ts';
import { environmentAsked } from '../../agent/source/layout.ts';
import type { ExecEvent } from '../../record/types.ts';
import { built } from './paths.ts';

const WAIT_MS = 10_000;

/** Opens a hook without an agent, with its pins in a bpffs. */
export function openTestHook(
  bpffs: string,
  objectPath: string = built('exec.bpf.o'),
  more: Partial<HookOptions> = {},
): Promise<Hook> {
  const options = {
    addonPath: built('vcml_hook.node'),
    objectPath,
    pinDir: join(bpffs, 'vcml-agent'),
    holder: 'test',
    ringBytes: 1 << 24,
    tableEntries: 0,
    argsBytes: 512,
    environment: environmentAsked.environmentEntries,
    quietAfterMs: 0,
    mountBpffs: false,
    attach: true,
    ...more,
  };
  return openHook(options, WAIT_MS);
}

/** Drains a hook's ring once, and returns the execs, with these variables of their environments. */
export function drainExecs(hook: Hook, variables: readonly string[] = []): ExecEvent[] {
  const decoder = createDecoder(hook.buffer, hook.cpuCount, undefined, variables);
  const execs: ExecEvent[] = [];
  const bytes = hook.drain();
  for (let at = 0; at < bytes; ) {
    const length = hook.buffer.readUInt32LE(at);
    const event = decoder.decode(at + 8, length);
    if (event.kind === 'exec') execs.push(event);
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return execs;
}
