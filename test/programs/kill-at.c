/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a program and stops before each of its system calls that changes or syncs a file below a
 * folder: kill-at FOLDER KILL FAULT TRACE PROGRAM ARG...
 *
 * KILL is the number of the call before which the program is killed; 0: none. FAULT is `-`, or
 * `FIRST-LAST:ENOSPC`, with which writes and new files in FOLDER/journal fail in these calls, or
 * `FIRST-LAST:EIO`, with which syncs there fail. TRACE gets every change, in their order, in the
 * form that test/support/journal/faults.c describes; what is written to FOLDER/kernel is a line
 * `printed`.
 *
 * It prints the number of calls, and the last one. It ends as the program does.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "listener.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NONE (-1)
#define SETTLE_US 3000

enum kind { CREATE, WRITE, WRITEV, PWRITE, TRUNCATE, SYNC, RENAME, UNLINK, LINK, OTHER };

/* The arguments that name files: a descriptor, or one or two paths. */
struct call {
	int nr;
	const char *name;
	enum kind kind;
	int fd, path, second;
};

static const struct call calls[] = {
#ifdef SYS_open
	{ SYS_open, "open", CREATE, NONE, 0, NONE },
	{ SYS_creat, "creat", CREATE, NONE, 0, NONE },
	{ SYS_rename, "rename", RENAME, NONE, 0, 1 },
	{ SYS_unlink, "unlink", UNLINK, NONE, 0, NONE },
	{ SYS_rmdir, "rmdir", UNLINK, NONE, 0, NONE },
	{ SYS_mkdir, "mkdir", OTHER, NONE, 0, NONE },
	{ SYS_symlink, "symlink", LINK, NONE, 1, NONE },
	{ SYS_link, "link", LINK, NONE, 1, NONE },
	{ SYS_chmod, "chmod", OTHER, NONE, 0, NONE },
#endif
#ifdef SYS_renameat
	{ SYS_renameat, "renameat", RENAME, NONE, 1, 3 },
#endif
	{ SYS_openat, "openat", CREATE, NONE, 1, NONE },
	{ SYS_renameat2, "renameat2", RENAME, NONE, 1, 3 },
	{ SYS_unlinkat, "unlinkat", UNLINK, NONE, 1, NONE },
	{ SYS_mkdirat, "mkdirat", OTHER, NONE, 1, NONE },
	{ SYS_symlinkat, "symlinkat", LINK, NONE, 2, NONE },
	{ SYS_linkat, "linkat", LINK, NONE, 3, NONE },
	{ SYS_fchmodat, "fchmodat", OTHER, NONE, 1, NONE },
	{ SYS_truncate, "truncate", TRUNCATE, NONE, 0, NONE },
	{ SYS_write, "write", WRITE, 0, NONE, NONE },
	{ SYS_writev, "writev", WRITEV, 0, NONE, NONE },
	{ SYS_pwrite64, "pwrite64", PWRITE, 0, NONE, NONE },
	{ SYS_pwritev, "pwritev", OTHER, 0, NONE, NONE },
	{ SYS_pwritev2, "pwritev2", OTHER, 0, NONE, NONE },
	{ SYS_ftruncate, "ftruncate", TRUNCATE, 0, NONE, NONE },
	{ SYS_fsync, "fsync", SYNC, 0, NONE, NONE },
	{ SYS_fdatasync, "fdatasync", SYNC, 0, NONE, NONE },
	{ SYS_fchmod, "fchmod", OTHER, 0, NONE, NONE },
	{ SYS_fallocate, "fallocate", OTHER, 0, NONE, NONE },
	{ SYS_sendfile, "sendfile", OTHER, 0, NONE, NONE },
	{ SYS_copy_file_range, "copy_file_range", OTHER, 2, NONE, NONE },
};

struct run {
	const char *folder;
	char journal[PATH_MAX], kernel[PATH_MAX];
	unsigned long kill_at, fault_first, fault_last;
	int fault;
	FILE *trace;
	pid_t pid;
	unsigned long count;
	char last[2 * PATH_MAX];
};

/* What one call does. */
struct stop {
	const struct call *call;
	const struct seccomp_data *data;
	pid_t thread;
	char path[PATH_MAX], second[PATH_MAX];
};

static int is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return !strncmp(path, folder, n) && (path[n] == '/' || path[n] == 0);
}

static size_t read_memory(pid_t pid, uint64_t from, void *to, size_t size)
{
	struct iovec local = { to, size };
	struct iovec remote = { (void *)(uintptr_t)from, size };
	ssize_t n = process_vm_readv(pid, &local, 1, &remote, 1, 0);

	return n < 0 ? 0 : (size_t)n;
}

/* Reads page by page, because the page behind the text may not be there. */
static void read_text(pid_t pid, uint64_t from, char *to)
{
	size_t n = 0;

	while (n < PATH_MAX - 1) {
		size_t size = 256 - (from + n) % 256;

		if (size > PATH_MAX - 1 - n)
			size = PATH_MAX - 1 - n;
		if (read_memory(pid, from + n, to + n, size) != size)
			break;
		if (memchr(to + n, 0, size))
			return;
		n += size;
	}
	to[n] = 0;
}

static void path_of_fd(pid_t pid, int fd, char *path)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, fd);
	n = readlink(link, path, PATH_MAX - 1);
	path[n < 0 ? 0 : n] = 0;
}

static void read_paths(struct stop *stop)
{
	const struct call *call = stop->call;
	const __u64 *args = stop->data->args;

	if (call->fd != NONE)
		path_of_fd(stop->thread, (int)args[call->fd], stop->path);
	if (call->path != NONE)
		read_text(stop->thread, args[call->path], stop->path);
	if (call->second != NONE)
		read_text(stop->thread, args[call->second], stop->second);
}

/* An open that makes no file and cuts none changes nothing. */
static int changes(const struct stop *stop)
{
	const struct call *call = stop->call;

	if (call->kind != CREATE || call->nr != SYS_openat)
#ifdef SYS_open
		return call->nr != SYS_open || (stop->data->args[1] & (O_CREAT | O_TRUNC));
#else
		return 1;
#endif
	return !!(stop->data->args[2] & (O_CREAT | O_TRUNC));
}

static void trace_bytes(struct run *run, const struct stop *stop, uint64_t from, size_t size)
{
	int is_at = stop->call->kind == PWRITE;
	unsigned long long at = is_at ? stop->data->args[3] : 0;
	char *bytes = malloc(size + 1);

	if (read_memory(stop->thread, from, bytes, size) != size)
		errx(1, "cannot read what is written to %s", stop->path);
	if (!strcmp(stop->path, run->kernel))
		fprintf(run->trace, "printed %.*s\n", (int)strcspn(bytes, "\n"), bytes);
	else {
		fprintf(run->trace, "%s %s %llu %zu\n", is_at ? "overwrite" : "write", stop->path,
			at, size);
		fwrite(bytes, 1, size, run->trace);
	}
	free(bytes);
}

static void trace_vector(struct run *run, const struct stop *stop)
{
	struct iovec parts[64];
	size_t count = stop->data->args[2];

	if (count > COUNT(parts))
		errx(1, "too many parts are written to %s at once", stop->path);
	read_memory(stop->thread, stop->data->args[1], parts, count * sizeof(parts[0]));
	for (size_t i = 0; i < count; i++)
		trace_bytes(run, stop, (uintptr_t)parts[i].iov_base, parts[i].iov_len);
}

static void trace(struct run *run, const struct stop *stop)
{
	const __u64 *args = stop->data->args;

	switch (stop->call->kind) {
	case CREATE:
		if (access(stop->path, F_OK))
			fprintf(run->trace, "create %s\n", stop->path);
		break;
	case WRITE:
	case PWRITE:
		trace_bytes(run, stop, args[1], args[2]);
		break;
	case WRITEV:
		trace_vector(run, stop);
		break;
	case TRUNCATE:
		fprintf(run->trace, "truncate %s %llu\n", stop->path, args[1]);
		break;
	case SYNC:
		fprintf(run->trace, "sync %s\n", stop->path);
		break;
	case RENAME:
		fprintf(run->trace, "rename %s %s\n", stop->path, stop->second);
		break;
	case UNLINK:
		fprintf(run->trace, "unlink %s\n", stop->path);
		break;
	case LINK:
		break;
	case OTHER:
		/* Making the folder and its mode are no changes of files. */
		if (strcmp(stop->path, run->journal))
			errx(1, "%s of %s cannot be traced", stop->call->name, stop->path);
	}
	fflush(run->trace);
}

/* The error with which this call fails; 0: it does not. */
static int fault_of(const struct run *run, const struct stop *stop)
{
	enum kind kind = stop->call->kind;
	int is_sync = kind == SYNC;
	int takes_room = kind == WRITE || kind == WRITEV || kind == LINK ||
			 (kind == CREATE && access(stop->path, F_OK));

	if (run->count < run->fault_first || run->count > run->fault_last)
		return 0;
	if (!is_below(stop->path, run->journal))
		return 0;
	return (run->fault == ENOSPC ? takes_room : is_sync) ? run->fault : 0;
}

/* Returns the error with which the call fails; 0: it does not fail. */
static int at_stop(struct run *run, struct stop *stop)
{
	int fault;

	read_paths(stop);
	if (!is_below(stop->path, run->folder) || !changes(stop))
		return 0;
	run->count++;
	snprintf(run->last, sizeof(run->last), "%s %s", stop->call->name, stop->path);
	if (run->count == run->kill_at) {
		/* What other threads were allowed to do must be done, or the trace has too much. */
		usleep(SETTLE_US);
		kill(run->pid, SIGKILL);
		return 0;
	}
	fault = fault_of(run, stop);
	if (!fault)
		trace(run, stop);
	return fault;
}

static const struct call *call_of(int nr)
{
	for (size_t i = 0; i < COUNT(calls); i++)
		if (calls[i].nr == nr)
			return &calls[i];
	errx(1, "system call %d was not asked for", nr);
}

/* Answers until nobody is left who could ask. */
static void serve(struct run *run, int listener)
{
	struct pollfd poller = { .fd = listener, .events = POLLIN };
	struct stop stop;

	while (poll(&poller, 1, -1) > 0 && (poller.revents & POLLIN)) {
		struct seccomp_notif request = { 0 };
		struct seccomp_notif_resp answer = { 0 };
		int fault;

		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request))
			continue; /* it was killed meanwhile */
		memset(&stop, 0, sizeof(stop));
		stop.call = call_of(request.data.nr);
		stop.data = &request.data;
		stop.thread = (pid_t)request.pid;
		fault = at_stop(run, &stop);
		if (run->count == run->kill_at && run->kill_at)
			return;
		answer.id = request.id;
		answer.error = -fault;
		answer.flags = fault ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
}

static void read_fault(struct run *run, const char *text)
{
	char name[16] = "";

	if (!strcmp(text, "-"))
		return;
	if (sscanf(text, "%lu-%lu:%15s", &run->fault_first, &run->fault_last, name) != 3)
		errx(1, "not a fault: %s", text);
	run->fault = !strcmp(name, "ENOSPC") ? ENOSPC : EIO;
}

int main(int argc, char **argv)
{
	static struct run run;
	int numbers[COUNT(calls)], listener, status;

	if (argc < 6)
		errx(1, "usage: kill-at FOLDER KILL FAULT TRACE PROGRAM ARG...");
	run.folder = argv[1];
	snprintf(run.journal, sizeof(run.journal), "%s/journal", argv[1]);
	snprintf(run.kernel, sizeof(run.kernel), "%s/kernel", argv[1]);
	run.kill_at = strtoul(argv[2], NULL, 10);
	read_fault(&run, argv[3]);
	run.trace = fopen(argv[4], "ae");
	if (!run.trace)
		err(1, "%s", argv[4]);
	for (size_t i = 0; i < COUNT(calls); i++)
		numbers[i] = calls[i].nr;
	listener = start_listened(argv + 5, numbers, COUNT(calls), &run.pid);
	serve(&run, listener);
	if (waitpid(run.pid, &status, 0) != run.pid)
		err(1, "waitpid");
	printf("%lu %s\n", run.count, run.last);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
