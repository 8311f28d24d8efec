import type { Executable } from '../types.ts';
import { ALWAYS, type Attribute, WHEN_TRUE } from './field.ts';

/** What an exec says about the file that runs, in the order of a line. */
export const EXECUTABLE = {
  executable: {
    key: 'process.executable.path',
    type: 'string',
    when: ALWAYS,
    about: 'The file that runs (see [Paths](#paths)).',
    value: ({ path }) => path,
  },
  executableName: {
    key: 'process.executable.name',
    type: 'string',
    when: ALWAYS,
    about: 'The last part of that path.',
    value: ({ path }) => path.slice(path.lastIndexOf('/') + 1) || path,
  },
  executableInode: {
    key: 'vcml.executable.inode',
    type: 'decimal',
    when: ALWAYS,
    about: 'The inode of that file.',
    value: ({ inode }) => inode,
  },
  executableDevice: {
    key: 'vcml.executable.device',
    type: 'string',
    when: ALWAYS,
    about: 'The device of that file as `major:minor`.',
    value: ({ device }) => device,
  },
  executableMode: {
    key: 'vcml.executable.mode',
    type: 'string',
    when: ALWAYS,
    about: 'The permission bits of that file as four octal digits.',
    value: ({ mode }) => mode,
  },
  executablePathTruncated: {
    key: 'vcml.executable.path_truncated',
    type: 'flag',
    when: WHEN_TRUE,
    about: 'The path of the executable was cut.',
    value: ({ pathTruncated }) => pathTruncated,
  },
  memfd: {
    key: 'vcml.executable.memfd',
    type: 'flag',
    when: WHEN_TRUE,
    about: 'The file is a memfd.',
    value: ({ memfd }) => memfd,
  },
  upperLayer: {
    key: 'vcml.executable.upper_layer',
    type: 'flag',
    when: WHEN_TRUE,
    about:
      'The file is in the upper layer of an overlay: it was written in the running container and is not part of its image.',
    value: ({ upperLayer }) => upperLayer,
  },
  setuid: {
    key: 'vcml.executable.setuid',
    type: 'flag',
    when: WHEN_TRUE,
    about: 'The file has the setuid bit.',
    value: ({ setuid }) => setuid,
  },
  unlinked: {
    key: 'vcml.executable.unlinked',
    type: 'flag',
    when: WHEN_TRUE,
    about: 'The file was deleted.',
    value: ({ unlinked }) => unlinked,
  },
} as const satisfies Record<string, Attribute<Executable>>;
