// SPDX-License-Identifier: Apache-2.0
/*
 * Intercepts what a process does with the files below FAULTS_ROOT, by LD_PRELOAD.
 *
 * FAULTS_TRACE names a file that gets every operation that changes something there, one after the
 * other. From it a test derives what a power cut between any two of them leaves.
 *
 * FAULTS_NOW names a file that, while it exists, says what fails: "write EIO", "sync
 * EIO" and "list EIO" fail, "kill N" writes N bytes of the next large write and ends the process in
 * its middle.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define LARGE_BYTES 100000

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* One operation at a time, so that the trace has the order in which they were done. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int trace_fd = -1;

static int is_below(const char *path)
{
	const char *root = getenv("FAULTS_ROOT");

	return root && !strncmp(path, root, strlen(root));
}

static int path_of(int fd, char *path)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	if (n < 0)
		return 0;
	path[n] = 0;
	return is_below(path);
}

static void put(const void *bytes, size_t size)
{
	const char *name = getenv("FAULTS_TRACE");

	if (!name)
		return;
	if (trace_fd < 0)
		trace_fd = REAL(open64)(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (REAL(write)(trace_fd, bytes, size) != (ssize_t)size)
		abort();
}

__attribute__((format(printf, 1, 2))) static void trace(const char *format, ...)
{
	char text[3 * PATH_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put(text, strlen(text));
}

/* Whether FAULTS_NOW begins with `what`; what stands behind it is in `rest`. */
static int is_now(const char *what, char *rest, size_t size)
{
	const char *name = getenv("FAULTS_NOW");
	char text[64];
	ssize_t n;
	int fd;

	if (!name)
		return 0;
	fd = REAL(open64)(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	if (strncmp(text, what, strlen(what)))
		return 0;
	snprintf(rest, size, "%s", text + strlen(what));
	return 1;
}

static int fails(const char *what)
{
	char rest[64];

	if (!is_now(what, rest, sizeof(rest)))
		return 0;
	errno = EIO;
	return 1;
}

static int open_below(const char *path, int flags, mode_t mode)
{
	int was_there, fd;

	pthread_mutex_lock(&lock);
	was_there = !access(path, F_OK);
	fd = REAL(open64)(path, flags, mode);
	if (fd >= 0 && !was_there)
		trace("create %s\n", path);
	pthread_mutex_unlock(&lock);
	return fd;
}

int open64(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	if (flags & O_CREAT) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
		if (is_below(path))
			return open_below(path, flags, mode);
	}
	return REAL(open64)(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	if (flags & O_CREAT) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return open64(path, flags, mode);
}

static ssize_t write_below(int fd, const char *path, const void *bytes, size_t size)
{
	char rest[64];
	ssize_t n;

	if (fails("write"))
		return -1;
	if (size > LARGE_BYTES && is_now("kill", rest, sizeof(rest))) {
		REAL(write)(fd, bytes, strtoul(rest, NULL, 10));
		kill(getpid(), SIGKILL);
	}
	n = REAL(write)(fd, bytes, size);
	if (n > 0) {
		trace("write %s %lld %zd\n", path, (long long)lseek64(fd, 0, SEEK_CUR) - n, n);
		put(bytes, n);
	}
	return n;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	char path[PATH_MAX];
	ssize_t n;

	if (fd == STDOUT_FILENO && getenv("FAULTS_TRACE")) {
		pthread_mutex_lock(&lock);
		trace("printed %.*s", (int)size, (const char *)bytes);
		pthread_mutex_unlock(&lock);
	}
	if (!path_of(fd, path))
		return REAL(write)(fd, bytes, size);
	pthread_mutex_lock(&lock);
	n = write_below(fd, path, bytes, size);
	pthread_mutex_unlock(&lock);
	return n;
}

ssize_t writev(int fd, const struct iovec *iov, int count)
{
	char path[PATH_MAX];
	ssize_t n, sum = 0;

	if (!path_of(fd, path))
		return REAL(writev)(fd, iov, count);
	pthread_mutex_lock(&lock);
	for (int i = 0; i < count; i++) {
		n = write_below(fd, path, iov[i].iov_base, iov[i].iov_len);
		if (n < 0 && sum == 0)
			sum = -1;
		if (n < 0)
			break;
		sum += n;
	}
	pthread_mutex_unlock(&lock);
	return sum;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
	char path[PATH_MAX];
	ssize_t n;

	if (!path_of(fd, path))
		return REAL(pwrite64)(fd, bytes, size, offset);
	pthread_mutex_lock(&lock);
	n = fails("write") ? -1 : REAL(pwrite64)(fd, bytes, size, offset);
	if (n > 0) {
		trace("overwrite %s %lld %zd\n", path, (long long)offset, n);
		put(bytes, n);
	}
	pthread_mutex_unlock(&lock);
	return n;
}

static int sync_below(int fd, int (*real)(int))
{
	char path[PATH_MAX];
	int result;

	if (!path_of(fd, path))
		return real(fd);
	pthread_mutex_lock(&lock);
	result = fails("sync") ? -1 : real(fd);
	if (!result)
		trace("sync %s\n", path);
	pthread_mutex_unlock(&lock);
	return result;
}

int fsync(int fd)
{
	return sync_below(fd, REAL(fsync));
}

int fdatasync(int fd)
{
	return sync_below(fd, REAL(fdatasync));
}

int ftruncate64(int fd, off64_t size)
{
	char path[PATH_MAX];
	int result;

	if (!path_of(fd, path))
		return REAL(ftruncate64)(fd, size);
	pthread_mutex_lock(&lock);
	result = REAL(ftruncate64)(fd, size);
	if (!result)
		trace("truncate %s %lld\n", path, (long long)size);
	pthread_mutex_unlock(&lock);
	return result;
}

int rename(const char *from, const char *to)
{
	int result;

	pthread_mutex_lock(&lock);
	result = REAL(rename)(from, to);
	if (!result && is_below(from))
		trace("rename %s %s\n", from, to);
	pthread_mutex_unlock(&lock);
	return result;
}

int unlink(const char *path)
{
	int result;

	pthread_mutex_lock(&lock);
	result = REAL(unlink)(path);
	if (!result && is_below(path))
		trace("unlink %s\n", path);
	pthread_mutex_unlock(&lock);
	return result;
}

int scandir64(const char *path, struct dirent64 ***names, int (*filter)(const struct dirent64 *),
	      int (*order)(const struct dirent64 **, const struct dirent64 **))
{
	int fault;

	pthread_mutex_lock(&lock);
	fault = is_below(path) && fails("list");
	pthread_mutex_unlock(&lock);
	return fault ? -1 : REAL(scandir64)(path, names, filter, order);
}

int scandir(const char *path, struct dirent ***names, int (*filter)(const struct dirent *),
	    int (*order)(const struct dirent **, const struct dirent **))
{
	return scandir64(path, (struct dirent64 ***)names, (int (*)(const struct dirent64 *))filter,
			 (int (*)(const struct dirent64 **, const struct dirent64 **))order);
}
