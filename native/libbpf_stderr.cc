// SPDX-License-Identifier: Apache-2.0
// Debian's libbpf.a is compiled for executables: it reaches `stderr` directly, which a shared
// object may not. Linked with --wrap=stderr, it finds this variable instead.
#include <cstdio>

extern "C" {
extern FILE *__real_stderr;
__attribute__((visibility("hidden"))) FILE *__wrap_stderr;
}

__attribute__((constructor)) static void init_stderr()
{
	__wrap_stderr = __real_stderr;
}
