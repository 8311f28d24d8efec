/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways to name the file to run, one per case. The arguments are files and directories that the test
 * has made; the last one is the marker of the record.
 */
#include "case.h"

static void exec_as(const char *path, const char *marker)
{
	char *argv[] = { "noop", (char *)marker, NULL };

	execve(path, argv, environ);
	err(1, "%s", path);
}

static void exec_fd(int fd, const char *name, const char *marker)
{
	char *argv[] = { "noop", (char *)marker, NULL };

	syscall(SYS_execveat, fd, name, argv, environ, *name ? 0 : AT_EMPTY_PATH);
	err(1, "execveat %s", name);
}

static void copy(const char *from, int to)
{
	static char buffer[1 << 16];
	int fd = must(open(from, O_RDONLY));
	ssize_t got;

	while ((got = must(read(fd, buffer, sizeof(buffer)))) > 0)
		must(write(to, buffer, got));
	close(fd);
}

static void copy_noop(const char *path)
{
	int fd = must(open(path, O_CREAT | O_TRUNC | O_WRONLY, 0755));

	copy(beside("noop"), fd);
	must(fchmod(fd, 0755));
	close(fd);
}

static void own_mounts(void)
{
	must(unshare(CLONE_NEWNS));
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

/* DIR PATH MARKER: exec of PATH, literally so, in DIR */
static void given(char **args)
{
	must(chdir(args[0]));
	exec_as(args[1], args[2]);
}

/* FILE MARKER */
static void by_fd(char **args)
{
	exec_fd(must(open(args[0], O_RDONLY)), "", args[1]);
}

static void by_fd_cloexec(char **args)
{
	exec_fd(must(open(args[0], O_RDONLY | O_CLOEXEC)), "", args[1]);
}

/* DIR NAME MARKER */
static void at_dir(char **args)
{
	int fd = must(open(args[0], O_RDONLY | O_DIRECTORY));

	must(chdir("/"));
	exec_fd(fd, args[1], args[2]);
}

static void at_dir_cloexec(char **args)
{
	int fd = must(open(args[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	must(chdir("/"));
	exec_fd(fd, args[1], args[2]);
}

/* NAME MARKER */
static void in_memory(const char *name, unsigned int flags, const char *marker)
{
	int fd = must(memfd_create(name, flags));
	char path[64];

	copy(beside("noop"), fd);
	/* the kernel does not run what is open for writing */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	exec_fd(must(open(path, O_RDONLY | (flags & MFD_CLOEXEC ? O_CLOEXEC : 0))), "", marker);
}

static void memfd(char **args)
{
	in_memory(args[0], 0, args[1]);
}

static void memfd_cloexec(char **args)
{
	in_memory(args[0], MFD_CLOEXEC, args[1]);
}

/* FILE MARKER: the file is removed while it is open */
static void unlinked(char **args)
{
	int fd = must(open(args[0], O_RDONLY));

	must(unlink(args[0]));
	exec_fd(fd, "", args[1]);
}

/* FROM TO MARKER */
static void bind_mount(char **args)
{
	own_mounts();
	must(mount(args[0], args[1], NULL, MS_BIND, NULL));
	exec_as(args[1], args[2]);
}

/* DIR MARKER-OF-LOWER MARKER-OF-UPPER MARKER-OF-COPIED-UP */
/* FILE MARKER: from a mount of its own that is nowhere, as runc runs itself */
static void detached(char **args)
{
	int fd;

	copy_noop(args[0]);
	fd = must(syscall(SYS_open_tree, AT_FDCWD, args[0], 1 /* OPEN_TREE_CLONE */));
	exec_fd(fd, "", args[1]);
}

static void overlay(char **args)
{
	static const char *const names[] = { "merged/lower", "merged/upper", "merged/copied-up" };

	own_mounts();
	must(mount("tmpfs", args[0], "tmpfs", 0, NULL));
	must(chdir(args[0]));
	must(mkdir("lower", 0755));
	must(mkdir("upper", 0755));
	must(mkdir("work", 0755));
	must(mkdir("merged", 0755));
	copy_noop("lower/lower");
	copy_noop("lower/copied-up");
	must(mount("overlay", "merged", "overlay", 0,
		   "lowerdir=lower,upperdir=upper,workdir=work"));
	copy_noop("merged/upper");
	must(chmod("merged/copied-up", 0700));
	for (int i = 0; i < 3; i++) {
		pid_t pid = must(fork());

		if (pid == 0)
			exec_as(names[i], args[i + 1]);
		reap(pid);
	}
}

/* ROOT PATH MARKER */
static void in_chroot(char **args)
{
	must(chroot(args[0]));
	must(chdir("/"));
	exec_as(args[1], args[2]);
}

/* ROOT FILE MARKER: FILE is outside of ROOT, and so is the working directory */
static void outside_chroot(char **args)
{
	int fd = must(open(args[1], O_RDONLY));

	must(chroot(args[0]));
	exec_fd(fd, "", args[2]);
}

/* ROOT DIR NAME MARKER: a relative name in a working directory outside of ROOT */
static void outside_chroot_relative(char **args)
{
	must(chdir(args[1]));
	must(chroot(args[0]));
	exec_as(args[2], args[3]);
}

/* UID PATH MARKER */
static void as_user(char **args)
{
	unsigned int uid = atoi(args[0]);

	must(setresgid(uid, uid, uid));
	must(setresuid(uid, uid, uid));
	exec_as(args[1], args[2]);
}

/* Makes directories with names of 250 bytes below the working one, and enters them. */
static void descend(size_t levels, size_t last)
{
	char name[NAME_MAX + 1];

	for (size_t i = 0; i < levels; i++) {
		size_t length = i + 1 == levels ? last : 250;

		memset(name, 'd', length);
		name[length] = 0;
		if (mkdir(name, 0755) < 0 && errno != EEXIST)
			err(1, "mkdir");
		must(chdir(name));
	}
}

/* DIR MARKER: a path of 4,095 bytes, the longest that can be given */
static void longest(char **args)
{
	char path[PATH_MAX];
	size_t left;

	must(chdir(args[0]));
	left = PATH_MAX - 1 - strlen(args[0]) - strlen("/noop");
	/* as many whole names with their slash as leave between 2 and 252 bytes for the last one */
	descend((left - 2) / 251 + 1, left - (left - 2) / 251 * 251 - 1);
	copy_noop("noop");
	must(getcwd(path, sizeof(path)));
	strcat(path, "/noop");
	if (strlen(path) != PATH_MAX - 1)
		errx(1, "a path of %zu bytes", strlen(path));
	exec_as(path, args[1]);
}

/* DIR MARKER: a working directory deeper than any path can say */
static void too_deep(char **args)
{
	must(chdir(args[0]));
	descend(20, 250);
	copy_noop("noop");
	exec_as("./noop", args[1]);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "given", given },
		{ "by-fd", by_fd },
		{ "by-fd-cloexec", by_fd_cloexec },
		{ "at-dir", at_dir },
		{ "at-dir-cloexec", at_dir_cloexec },
		{ "memfd", memfd },
		{ "memfd-cloexec", memfd_cloexec },
		{ "unlinked", unlinked },
		{ "bind-mount", bind_mount },
		{ "detached", detached },
		{ "overlay", overlay },
		{ "in-chroot", in_chroot },
		{ "outside-chroot", outside_chroot },
		{ "outside-chroot-relative", outside_chroot_relative },
		{ "as-user", as_user },
		{ "longest", longest },
		{ "too-deep", too_deep },
		{ NULL, NULL },
	};

	(void)argc;
	return run_case(cases, argv);
}
