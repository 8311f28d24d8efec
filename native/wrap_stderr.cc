// SPDX-License-Identifier: Apache-2.0
// Debian's libbpf.a is compiled for executables: its reference to libc's variable `stderr`, in a
// printer that load.cc replaces, cannot be resolved in a shared object. Linked with
// --wrap=stderr it comes here instead.
#include <cstdio>

extern "C" {
extern FILE *__wrap_stderr; // NOLINT: the linker's name
__attribute__((visibility("hidden"))) FILE *__wrap_stderr = fdopen(2, "w");
}
