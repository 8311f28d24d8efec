/* SPDX-License-Identifier: Apache-2.0 */
/* The shared parts of the programs of cases: they end with a message, and the no-op runs last. */
#ifndef CASE_H
#define CASE_H

#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct test_case {
	const char *name;
	void (*run)(char **args); /* the words behind the case's name, NULL-terminated */
};

/* A system call that must not fail. */
#define must(call)                                   \
	({                                           \
		__typeof__(call) result_ = (call);   \
		if (result_ == (__typeof__(call))-1) \
			err(1, "%s", #call);         \
		result_;                             \
	})

/*
 * Returns the path of the no-op beside the program. It asks the thread, because the leader may have
 * ended.
 */
static inline const char *beside(const char *name)
{
	static char path[PATH_MAX];
	ssize_t length = must(readlink("/proc/thread-self/exe", path, sizeof(path) - 1));

	path[length] = 0;
	strcpy(strrchr(path, '/') + 1, name);
	return path;
}

/* Becomes the no-op; `marker` finds its record. */
static inline void exec_noop(const char *marker)
{
	char *argv[] = { "noop", (char *)marker, NULL };

	execve(beside("noop"), argv, environ);
	err(1, "noop");
}

/* Becomes a program beside this one, in one of its cases. */
static inline void exec_case(const char *program, const char *name, const char *a, const char *b)
{
	char *argv[] = { (char *)program, (char *)name, (char *)a, (char *)b, NULL };

	execve(beside(program), argv, environ);
	err(1, "%s %s", program, name);
}

static inline void reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		errx(1, "child ended with status %#x", status);
}

static inline void spawn_noop(const char *marker)
{
	pid_t pid = must(fork());

	if (pid == 0)
		exec_noop(marker);
	reap(pid);
}

static inline int run_case(const struct test_case *cases, char **argv)
{
	for (; cases->name; cases++) {
		if (argv[1] && strcmp(cases->name, argv[1]) == 0) {
			cases->run(argv + 2);
			return 0;
		}
	}
	errx(64, "no such case: %s", argv[1] ? argv[1] : "(none)");
}

#endif
