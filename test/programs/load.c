/* SPDX-License-Identifier: Apache-2.0 */
/* More processes than a recorder has room for. */
#include "case.h"

/* A child that spawns the no-op, so that two records show who started whom. */
static void spawn_child(const char *marker)
{
	pid_t pid = must(fork());

	if (pid == 0)
		exec_case("links", "spawn", marker, NULL);
	reap(pid);
}

/* Reports that it has started, waits for a line, then spawns: a parent whose child comes later. */
static void wait_and_spawn(char **args)
{
	char line[16];

	puts("ready");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		errx(1, "nobody said go");
	spawn_child(args[0]);
}

/* args: the number of simultaneous processes, then what the last one spawns */
static void crowd(char **args)
{
	int ends[2];
	char byte;

	must(pipe(ends));
	for (long left = atol(args[0]); left > 0; left--) {
		if (must(fork()) == 0) {
			close(ends[1]);
			must(read(ends[0], &byte, 1));
			_exit(0);
		}
	}
	spawn_child(args[1]);
}

/* args: the number of execs, the bytes of arguments of each, then what to do after them */
static void storm(char **args)
{
	const char *noop = beside("noop");
	size_t bytes = strtoul(args[1], NULL, 10);
	char *filler = calloc(1, bytes + 1);
	char *argv[] = { "noop", "storm", filler, NULL };

	memset(filler, 'x', bytes);
	for (long left = atol(args[0]); left > 0; left--) {
		pid_t pid = vfork();

		if (pid == 0) {
			execve(noop, argv, environ);
			_exit(1);
		}
		reap(pid);
	}
	if (args[2])
		exec_case("load", args[2], args[3], NULL);
}

/* without end: each process lives only until it has forked the next one */
static void hop(char **args)
{
	(void)args;
	while (must(fork()) == 0)
		;
	_exit(0);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "wait-and-spawn", wait_and_spawn },
		{ "crowd", crowd },
		{ "storm", storm },
		{ "hop", hop },
		{ NULL, NULL },
	};

	(void)argc;
	return run_case(cases, argv);
}
