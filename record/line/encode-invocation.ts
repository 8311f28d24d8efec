import type { ExecContext, Executable, Invocation } from '../types.ts';
import { json, jsonStrings } from './json-text.ts';

/** The parts of a line, in UTF-8, that are the same for every exec of an invocation. */
export interface InvocationText {
  /** from `uid` to `permitted_by` */
  readonly core: Uint8Array;
  readonly attributes: Uint8Array;
}

/** Renders what an invocation says in every line. */
export function invocationText(invocation: Invocation): InvocationText {
  const { context } = invocation;
  return {
    core: Buffer.from(
      `,"uid":${context.uid},"gid":${context.gid},"comm":${json(invocation.comm)}},"action":"exec",` +
        `"object":${json(invocation.object)},"permitted_by":`,
    ),
    attributes: Buffer.from(
      executableText(invocation.executable) +
        argsText(invocation) +
        `,"process.working_directory":${json(invocation.workingDirectory)}` +
        (invocation.interactive ? ',"process.interactive":true' : '') +
        (invocation.workingDirectoryTruncated
          ? ',"vcml.process.working_directory_truncated":true'
          : '') +
        (invocation.objectTruncated ? ',"vcml.object.truncated":true' : '') +
        (invocation.objectResolved ? ',"vcml.object.resolved":true' : '') +
        contextText(context),
    ),
  };
}

function argsText(invocation: Invocation): string {
  const count = `,"process.args_count":${invocation.argsCount}`;
  if (invocation.args === undefined) return count;
  const [command] = invocation.args;
  return (
    count +
    (command ? `,"process.command":${json(command)}` : '') +
    `,"process.command_args":${jsonStrings(invocation.args)}` +
    (invocation.argsRedacted > 0
      ? `,"vcml.process.args_redacted":${invocation.argsRedacted}`
      : '') +
    (invocation.argsTruncated
      ? `,"vcml.process.args_truncated":true,"vcml.process.args_size":${invocation.argsSize}`
      : '')
  );
}

function executableText(executable: Executable): string {
  const name = executable.path.slice(executable.path.lastIndexOf('/') + 1);
  return (
    `,"process.executable.path":${json(executable.path)}` +
    `,"process.executable.name":${json(name === '' ? executable.path : name)}` +
    `,"vcml.executable.inode":"${executable.inode}","vcml.executable.device":"${executable.device}"` +
    `,"vcml.executable.mode":"${executable.mode}"` +
    (executable.pathTruncated ? ',"vcml.executable.path_truncated":true' : '') +
    (executable.memfd ? ',"vcml.executable.memfd":true' : '') +
    (executable.upperLayer ? ',"vcml.executable.upper_layer":true' : '') +
    (executable.setuid ? ',"vcml.executable.setuid":true' : '') +
    (executable.unlinked ? ',"vcml.executable.unlinked":true' : '')
  );
}

function contextText(context: ExecContext): string {
  const { namespaces } = context;
  return (
    `,"process.user.id":${context.euid},"process.saved_user.id":${context.suid}` +
    `,"vcml.process.effective_group.id":${context.egid}` +
    (context.loginUid === undefined ? '' : `,"vcml.process.login_uid":${context.loginUid}`) +
    `,"vcml.process.session_id":${context.sessionId}` +
    (context.tty === undefined ? '' : `,"vcml.process.tty":${json(context.tty)}`) +
    `,"vcml.process.capabilities.effective":"${context.capabilities}"` +
    `,"vcml.namespace.pid":"${namespaces.pid}","vcml.namespace.mnt":"${namespaces.mnt}"` +
    `,"vcml.namespace.net":"${namespaces.net}","vcml.namespace.user":"${namespaces.user}"` +
    `,"vcml.namespace.cgroup":"${namespaces.cgroup}"`
  );
}
