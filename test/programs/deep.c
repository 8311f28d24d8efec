/* SPDX-License-Identifier: Apache-2.0 */
/* Makes cgroups as somebody may who wants to harm the agent. */
#include "case.h"

static void join_here(void)
{
	int fd = must(open("cgroup.procs", O_WRONLY));

	must(write(fd, "0", 1));
	close(fd);
}

/*
 * DIR LEVELS LENGTH BYTE MARKER: nests cgroups with names of so many bytes, each with this value,
 * and executes the no-op in the innermost one. No path leads there: each is entered from the one
 * above it.
 */
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
		/* In the mount namespace of the host, it would not be in the container. */
		must(unshare(CLONE_NEWNS));
		exec_noop(args[4]);
	}
	reap(pid);
	for (int level = 0; level < levels; level++) {
		must(chdir(".."));
		must(rmdir(name));
	}
}

/* DIR COUNT UID: a user makes and removes a cgroup that often */
static void churn(char **args)
{
	unsigned int uid = atoi(args[2]);

	must(chdir(args[0]));
	must(setresgid(uid, uid, uid));
	must(setresuid(uid, uid, uid));
	for (int n = atoi(args[1]); n > 0; n--) {
		must(mkdir("churned", 0755));
		must(rmdir("churned"));
	}
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "nested", nested },
		{ "churn", churn },
		{ NULL, NULL },
	};

	(void)argc;
	return run_case(cases, argv);
}
