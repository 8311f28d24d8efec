/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways in which a process comes to run a program, one per case. Each ends in the no-op with the
 * marker case:NAME:ROLE, so that its record can be found whatever its pid.
 */
#include "case.h"
#include <pthread.h>
#include <spawn.h>

/* Runs this program again in place, in another case. */
static void become(const char *name, const char *a, const char *b)
{
	exec_case("links", name, a, b);
}

static void run_and_reap(const char *name, const char *a)
{
	pid_t pid = must(fork());

	if (pid == 0)
		become(name, a, NULL);
	reap(pid);
}

/* Waits until every process that holds the pipe's other end has ended. */
static void wait_for_all(const int ends[2])
{
	char byte;

	close(ends[1]);
	while (read(ends[0], &byte, 1) > 0)
		;
}

static void spawn(char **args)
{
	spawn_noop(args[0]);
}

static void subshell(char **args)
{
	pid_t pid = must(fork());

	(void)args;
	if (pid == 0) {
		spawn_noop("case:subshell:child");
		_exit(0);
	}
	reap(pid);
}

static void *thread_spawn_body(void *unused)
{
	spawn_noop("case:thread-spawn:child");
	return unused;
}

static void thread_spawn(char **args)
{
	pthread_t thread;

	(void)args;
	pthread_create(&thread, NULL, thread_spawn_body, NULL);
	pthread_join(thread, NULL);
}

static void *thread_exec_body(void *unused)
{
	become("spawn", "case:thread-exec:child", NULL);
	return unused;
}

static void thread_exec(char **args)
{
	pthread_t thread;

	(void)args;
	pthread_create(&thread, NULL, thread_exec_body, NULL);
	pthread_join(thread, NULL);
}

static void parent_reexec(char **args)
{
	int go[2];
	char fd[16], byte, child[16];
	pid_t pid;

	(void)args;
	must(pipe(go));
	pid = must(fork());
	if (pid == 0) {
		must(read(go[0], &byte, 1));
		exec_noop("case:parent-reexec:first");
	}
	snprintf(fd, sizeof(fd), "%d", go[1]);
	snprintf(child, sizeof(child), "%d", pid);
	become("parent-reexec-second", fd, child);
}

static void parent_reexec_second(char **args)
{
	must(write(atoi(args[0]), "g", 1));
	reap(atoi(args[1]));
	spawn_noop("case:parent-reexec:second");
}

/* Leaves an orphan that execs only after its parent has ended. */
static void leave_orphan(const char *marker)
{
	pid_t me = getpid();

	if (must(fork()) != 0)
		_exit(0);
	while (getppid() == me)
		usleep(1000);
	exec_noop(marker);
}

static void orphan_maker(char **args)
{
	leave_orphan(args[0]);
}

static void double_fork(char **args)
{
	int ends[2];

	(void)args;
	must(pipe2(ends, 0));
	if (must(fork()) == 0)
		leave_orphan("case:double-fork:orphan");
	wait_for_all(ends);
}

/* The middle process runs its own program, and has ended when its child execs. */
static void middle_gone(char **args)
{
	int ends[2];

	(void)args;
	must(pipe(ends));
	if (must(fork()) == 0)
		become("orphan-maker", "case:middle-gone:orphan", NULL);
	wait_for_all(ends);
}

static void subreaper(char **args)
{
	int ends[2];

	(void)args;
	must(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	must(pipe(ends));
	if (must(fork()) == 0)
		become("orphan-maker", "case:subreaper:orphan", NULL);
	wait_for_all(ends);
}

static void daemonise(char **args)
{
	int ends[2];

	(void)args;
	must(pipe(ends));
	if (must(fork()) == 0) {
		must(setsid());
		must(chdir("/"));
		leave_orphan("case:daemon:daemon");
	}
	wait_for_all(ends);
}

static void do_vfork(char **args)
{
	const char *noop = beside("noop");
	char *argv[] = { "noop", "case:vfork:child", NULL };
	pid_t pid;

	(void)args;
	pid = vfork();
	if (pid == 0) {
		execve(noop, argv, environ);
		_exit(1);
	}
	reap(pid);
}

static void do_posix_spawn(char **args)
{
	char *argv[] = { "noop", "case:posix-spawn:child", NULL };
	pid_t pid;

	(void)args;
	if (posix_spawn(&pid, beside("noop"), NULL, NULL, argv, environ) != 0)
		err(1, "posix_spawn");
	reap(pid);
}

static pid_t clone3_simple(uint64_t flags, pid_t wanted)
{
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };

	if (flags & CLONE_PARENT)
		args.exit_signal = 0;
	if (wanted) {
		args.set_tid = (uintptr_t)&wanted;
		args.set_tid_size = 1;
	}
	return syscall(SYS_clone3, &args, sizeof(args));
}

static void clone_parent(char **args)
{
	int ends[2];

	(void)args;
	must(pipe(ends));
	if (must(fork()) == 0)
		become("clone-parent-maker", NULL, NULL);
	wait_for_all(ends);
}

static void clone_parent_maker(char **args)
{
	(void)args;
	if (must(clone3_simple(CLONE_PARENT, 0)) == 0)
		exec_noop("case:clone-parent:child");
}

/*
 * The pid's first process runs a program; the second one, which this program forks, reuses the pid.
 */
static void pid_reuse(char **args)
{
	pid_t first = must(fork()), second;

	(void)args;
	if (first == 0)
		exec_noop("case:pid-reuse:first");
	reap(first);
	second = must(clone3_simple(0, first));
	if (second == 0) {
		spawn_noop("case:pid-reuse:child");
		exec_noop("case:pid-reuse:second");
	}
	reap(second);
}

static void pid_namespace(char **args)
{
	(void)args;
	must(unshare(CLONE_NEWPID));
	run_and_reap("pid-namespace-init", NULL);
}

static void pid_namespace_init(char **args)
{
	int ends[2];

	(void)args;
	spawn_noop("case:pid-namespace:child");
	must(pipe(ends));
	if (must(fork()) == 0)
		become("orphan-maker", "case:pid-namespace:orphan", NULL);
	wait_for_all(ends);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void *after_leader_body(void *unused)
{
	char path[64], line[256] = "";
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
	do {
		usleep(1000);
		stat = fopen(path, "r");
		if (!stat || !fgets(line, sizeof(line), stat))
			err(1, "%s", path);
		fclose(stat);
	} while (!strstr(line, ") Z"));
	spawn_noop("case:leader-exit:child");
	exec_noop("case:leader-exit:exec");
	return unused;
}

static void leader_exit(char **args)
{
	pthread_t thread;

	(void)args;
	pthread_create(&thread, NULL, after_leader_body, NULL);
	syscall(SYS_exit, 0);
}

static void write_executable(const char *path, const char *content)
{
	int fd = must(open(path, O_CREAT | O_TRUNC | O_WRONLY, 0755));

	must(write(fd, content, strlen(content)));
	close(fd);
}

static void expect_failure(const char *path, const char *what)
{
	char *argv[] = { "noop", (char *)what, NULL };

	if (execve(path, argv, environ) != -1)
		errx(1, "exec of %s succeeded", path);
}

static void failed_exec(char **args)
{
	must(chdir(args[0]));
	write_executable("garbage", "no format that the kernel knows\n");
	write_executable("script", "#!/nowhere/interpreter\n");
	write_executable("plain", "#!/bin/sh\n");
	must(chmod("plain", 0644));
	expect_failure("missing", "case:failed-exec:missing");
	expect_failure("garbage", "case:failed-exec:garbage");
	expect_failure("script", "case:failed-exec:script");
	expect_failure("plain", "case:failed-exec:plain");
	expect_failure(".", "case:failed-exec:directory");
	exec_noop("case:failed-exec:after");
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "spawn", spawn },
		{ "subshell", subshell },
		{ "thread-spawn", thread_spawn },
		{ "thread-exec", thread_exec },
		{ "parent-reexec", parent_reexec },
		{ "parent-reexec-second", parent_reexec_second },
		{ "orphan-maker", orphan_maker },
		{ "double-fork", double_fork },
		{ "middle-gone", middle_gone },
		{ "subreaper", subreaper },
		{ "daemon", daemonise },
		{ "vfork", do_vfork },
		{ "posix-spawn", do_posix_spawn },
		{ "clone-parent", clone_parent },
		{ "clone-parent-maker", clone_parent_maker },
		{ "pid-reuse", pid_reuse },
		{ "pid-namespace", pid_namespace },
		{ "pid-namespace-init", pid_namespace_init },
		{ "leader-exit", leader_exit },
		{ "failed-exec", failed_exec },
		{ NULL, NULL },
	};

	(void)argc;
	return run_case(cases, argv);
}
