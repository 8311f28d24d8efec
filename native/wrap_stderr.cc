// SPDX-License-Identifier: Apache-2.0
// Debian's libbpf.a is compiled for executables. A shared object cannot resolve its reference to
// libc's variable `stderr`, which is in a printer that load.cc replaces. The linker's option
// --wrap=stderr redirects the reference to this file.
#include <cstdio>

extern "C" {
extern FILE *__wrap_stderr; // NOLINT: the linker's name
__attribute__((visibility("hidden"))) FILE *__wrap_stderr = fdopen(2, "w");
}
