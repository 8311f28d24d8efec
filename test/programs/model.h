/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of model.c: what they share, and how each obeys an order. */
#ifndef MODEL_H
#define MODEL_H

#include "case.h"
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { SLOTS = 200, BATCH = 8, SHARED_FD = 100, PATIENCE_S = 20 };

enum move {
	FORK,		/* the child lives on as it is */
	DOUBLE_FORK,	/* the same, and the process in the middle has gone */
	CLONE_PARENT_,	/* the child is its maker's sibling */
	REUSE,		/* the child gets the pid of a process that has ended */
	THREAD_FORK,	/* forked by a thread that ends then */
	EXEC,		/* in place */
	THREAD_EXEC,	/* in place, by a thread that is not the leader */
	FORK_EXEC,	/* the child execs at once */
	FORK_EXEC_BOTH, /* child and parent exec at the same time */
	RUN_NOOP,	/* fork, exec of a program that ends at once */
	VFORK_NOOP,
	FAIL,	     /* an exec that fails: nothing changes */
	LEADER_EXIT, /* the leader thread ends, another one continues */
	SETSID,
	EXIT, /* its children are orphans */
	MOVES,
};

enum state { UNUSED, EXECUTED, FAILED };

/* What is true of one exec. */
struct truth {
	uint32_t parent;
	uint32_t pid;
	uint32_t state;
	uint32_t pad;
	uint64_t before; /* CLOCK_BOOTTIME, ns: the exec came between the two */
	uint64_t after;	 /* 0: the image did not say */
};

/* One process and the order that it waits for. */
struct slot {
	_Atomic uint32_t order; /* counts up; a futex */
	uint32_t live;
	uint32_t move;
	uint32_t child; /* slot for a new process */
	uint32_t marker[2];
	uint32_t reuse;
	_Atomic uint32_t pid;
};

struct shared {
	_Atomic uint32_t done; /* answers to the orders of this batch; a futex */
	_Atomic uint32_t reused;
	struct slot slots[SLOTS];
	struct truth truth[];
};

static struct shared *shared;
static char run_name[64];
/* What this process is: copied by fork, as the kernel's table should. */
static uint32_t me, cause, seen;

static uint64_t now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_BOOTTIME, &at);
	return at.tv_sec * 1000000000ULL + at.tv_nsec;
}

static void futex_wait(_Atomic uint32_t *word, uint32_t value)
{
	struct timespec patience = { PATIENCE_S, 0 };

	if (syscall(SYS_futex, word, FUTEX_WAIT, value, &patience, NULL, 0) < 0 &&
	    errno == ETIMEDOUT)
		errx(1, "process %d waited in vain", getpid());
}

static void futex_wake(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void answer(void)
{
	atomic_fetch_add(&shared->done, 1);
	futex_wake(&shared->done);
}

/* Runs image `marker`; comes back when that failed. An image continues in `slot`. */
static void exec_image(const char *program, uint32_t marker, uint32_t slot)
{
	char name[96], number[16];
	char *argv[] = { (char *)program, name, number, NULL };
	struct truth *truth = &shared->truth[marker];

	snprintf(name, sizeof(name), "model:%s:%u", run_name, marker);
	snprintf(number, sizeof(number), "%u", slot);
	truth->parent = cause;
	truth->pid = getpid();
	truth->state = EXECUTED;
	truth->before = now();
	execve(beside(program), argv, environ);
	truth->state = FAILED;
}

static void *exec_body(void *marker)
{
	exec_image("model", *(uint32_t *)marker, me);
	errx(1, "exec failed: %s", strerror(errno));
}

static void exec_in_thread(uint32_t marker)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, exec_body, &marker) != 0)
		errx(1, "no thread");
	pthread_join(thread, NULL);
}

static void follow_orders(void) __attribute__((noreturn));

/* Where a new process begins. */
static void begin(uint32_t slot)
{
	me = slot;
	/* taken before the next order can be given: that waits for our answer */
	seen = shared->slots[me].order;
	atomic_store(&shared->slots[me].pid, getpid());
	answer();
	follow_orders();
}

/* A fork with clone3; `pid` 0: whichever. */
static pid_t clone_with(uint64_t flags, pid_t pid)
{
	struct clone_args args = { .flags = flags,
				   .exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD };

	if (pid) {
		args.set_tid = (uintptr_t)&pid;
		args.set_tid_size = 1;
	}
	return syscall(SYS_clone3, &args, sizeof(args));
}

static void fork_reusing(uint32_t pid, uint32_t child)
{
	pid_t made = -1;

	/* the pid's last owner said that it would end, and may be about to */
	for (int tries = 0; pid && made < 0 && tries < 100; tries++) {
		made = clone_with(0, pid);
		if (made < 0)
			usleep(100);
	}
	if (made > 0)
		atomic_fetch_add(&shared->reused, 1);
	if (made < 0)
		made = must(fork());
	if (made == 0)
		begin(child);
}

static void *fork_body(void *child)
{
	if (must(fork()) == 0)
		begin(*(uint32_t *)child);
	return NULL;
}

static void fork_in_thread(uint32_t child)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fork_body, &child) != 0)
		errx(1, "no thread");
	pthread_join(thread, NULL);
}

static void *go_on(void *unused)
{
	answer();
	follow_orders();
	return unused;
}

static void run_noop(uint32_t marker, int with_vfork)
{
	pid_t pid = with_vfork ? vfork() : fork();

	must(pid);
	if (pid == 0) {
		exec_image("noop", marker, 0);
		_exit(1);
	}
}

static void obey(const struct slot *order)
{
	pthread_t thread;

	switch ((enum move)order->move) {
	case FORK:
		if (must(fork()) == 0)
			begin(order->child);
		break;
	case DOUBLE_FORK:
		if (must(fork()) == 0) {
			if (must(fork()) == 0)
				begin(order->child);
			_exit(0);
		}
		break;
	case CLONE_PARENT_:
		if (must(clone_with(CLONE_PARENT, 0)) == 0)
			begin(order->child);
		break;
	case REUSE:
		fork_reusing(order->reuse, order->child);
		break;
	case THREAD_FORK:
		fork_in_thread(order->child);
		break;
	case EXEC:
		exec_image("model", order->marker[0], me);
		errx(1, "exec failed: %s", strerror(errno));
	case THREAD_EXEC:
		exec_in_thread(order->marker[0]);
		break;
	case FORK_EXEC:
	case FORK_EXEC_BOTH:
		if (must(fork()) == 0)
			exec_image("model", order->marker[0], order->child), _exit(1);
		if (order->move == FORK_EXEC_BOTH)
			exec_image("model", order->marker[1], me), _exit(1);
		break;
	case RUN_NOOP:
	case VFORK_NOOP:
		run_noop(order->marker[0], order->move == VFORK_NOOP);
		break;
	case FAIL:
		exec_image("no-such-program", order->marker[0], me);
		break;
	case LEADER_EXIT:
		if (pthread_create(&thread, NULL, go_on, NULL) != 0)
			errx(1, "no thread");
		/* only this thread ends */
		syscall(SYS_exit, 0);
		break;
	case SETSID:
		setsid();
		break;
	case EXIT:
	case MOVES:
		answer();
		_exit(0);
	}
	answer();
}

static void follow_orders(void)
{
	struct slot *slot = &shared->slots[me];

	for (;;) {
		while (slot->order == seen)
			futex_wait(&slot->order, seen);
		seen = slot->order;
		obey(slot);
		slot = &shared->slots[me];
	}
}

/* Maps the memory that all share; `create`: with room for so many images. */
static void map_shared(size_t create)
{
	struct stat stat;
	int fd = SHARED_FD;

	if (create) {
		fd = must(memfd_create("model", 0));
		must(ftruncate(fd, sizeof(*shared) + create * sizeof(struct truth)));
		must(dup2(fd, SHARED_FD));
		close(fd);
	}
	must(fstat(SHARED_FD, &stat));
	shared = must(mmap(NULL, stat.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, SHARED_FD, 0));
}

#endif
