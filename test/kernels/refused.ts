/** The cases that a kernel itself refuses, by their titles; they must fail there with these errors. */
export const REFUSED: Readonly<Record<string, ReadonlyMap<string, RegExp>>> = {
  // It refuses any descriptor unless the root of the process has /dev/fd.
  '5.10': new Map([
    [
      'outside of the root the path is (unreachable), and so is the working directory',
      /execveat : No such file or directory/,
    ],
  ]),
};
