/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nests cgroups, and executes a program in the innermost one. No path leads there: each folder is made
 * and entered from the one above it.
 */
#include "case.h"

static void join_here(void)
{
	int fd = must(open("cgroup.procs", O_WRONLY));

	must(write(fd, "0", 1));
	close(fd);
}

/* DIR LEVELS LENGTH BYTE MARKER: names of so many bytes, each with this value */
static void nested(char **args)
{
	int levels = atoi(args[1]), length = atoi(args[2]);
	char name[NAME_MAX + 1] = "";
	pid_t pid;

	memset(name, atoi(args[3]), length);
	must(chdir(args[0]));
	for (int level = 0; level < levels; level++) {
		must(mkdir(name, 0755));
		must(chdir(name));
	}
	pid = must(fork());
	if (pid == 0) {
		join_here();
		exec_noop(args[4]);
	}
	reap(pid);
	for (int level = 0; level < levels; level++) {
		must(chdir(".."));
		must(rmdir(name));
	}
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "nested", nested },
		{ NULL, NULL },
	};

	(void)argc;
	return run_case(cases, argv);
}
