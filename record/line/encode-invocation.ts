import type { ExecContext, Executable, Image } from '../types.ts';
import { json, jsonStrings } from './json-text.ts';

/** The parts of a line, in UTF-8, that are the same for every exec of an image. */
export interface ImageText {
  /** from `uid` to `permitted_by` */
  readonly core: Uint8Array;
  readonly attributes: Uint8Array;
}

/** Renders what an image says in every line. */
export function imageText(image: Image): ImageText {
  const { context } = image;
  return {
    core: Buffer.from(
      `,"uid":${context.uid},"gid":${context.gid},"comm":${json(image.comm)}},"action":"exec",` +
        `"object":${json(image.object)},"permitted_by":`,
    ),
    attributes: Buffer.from(
      executableText(image.executable) +
        argsText(image) +
        `,"process.working_directory":${json(image.workingDirectory)}` +
        (image.interactive ? ',"process.interactive":true' : '') +
        (image.workingDirectoryTruncated
          ? ',"vcml.process.working_directory_truncated":true'
          : '') +
        (image.objectTruncated ? ',"vcml.object.truncated":true' : '') +
        (image.objectResolved ? ',"vcml.object.resolved":true' : '') +
        contextText(context),
    ),
  };
}

function argsText(image: Image): string {
  const count = `,"process.args_count":${image.argsCount}`;
  if (image.args === undefined) return count;
  const [command] = image.args;
  return (
    count +
    (command ? `,"process.command":${json(command)}` : '') +
    `,"process.command_args":${jsonStrings(image.args)}` +
    (image.argsRedacted > 0 ? `,"vcml.process.args_redacted":${image.argsRedacted}` : '') +
    (image.argsTruncated
      ? `,"vcml.process.args_truncated":true,"vcml.process.args_size":${image.argsSize}`
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
