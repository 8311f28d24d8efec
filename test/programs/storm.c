// SPDX-License-Identifier: Apache-2.0
/*
 * An exec storm: storm LOOPS SECONDS PROGRAM [ARGUMENT...]
 * Runs LOOPS loops of posix_spawn and wait, as fast as possible or, with STORM_RATE, so often a
 * second in each loop; prints the number of execs. With STORM_CGROUP=FOLDER, the loops run in
 * another cgroup than that of the storm's own exec, so that each of their execs enters it. With
 * STORM_ENVIRONMENT, the programs get the environment of the storm, and none otherwise.
 */
#define _GNU_SOURCE
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void wait_until(double at)
{
	struct timespec t = { .tv_sec = (time_t)at };

	t.tv_nsec = (long)((at - (double)t.tv_sec) * 1e9);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static int enter(const char *cgroup)
{
	char path[4096];
	FILE *procs;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	procs = fopen(path, "w");
	return procs && fputs("0", procs) >= 0 && fclose(procs) == 0;
}

static uint64_t loop(double until, double rate, char **argv)
{
	double began = now();
	uint64_t count = 0;
	char *none[] = { NULL };
	char **environment = getenv("STORM_ENVIRONMENT") ? environ : none;

	while ((count & 15) || now() < until) {
		pid_t pid;

		if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environment))
			exit(1);
		waitpid(pid, NULL, 0);
		count++;
		if (rate > 0)
			wait_until(began + count / rate);
	}
	return count;
}

int main(int argc, char **argv)
{
	int loops = argc > 3 ? atoi(argv[1]) : 0;
	double until = now() + (argc > 3 ? atof(argv[2]) : 0);
	const char *rate = getenv("STORM_RATE");
	const char *cgroup = getenv("STORM_CGROUP");
	uint64_t total = 0;
	uint64_t *counts =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (loops < 1 || loops > 512 || counts == MAP_FAILED) {
		fprintf(stderr, "usage: storm LOOPS SECONDS PROGRAM [ARGUMENT...]\n");
		return 64;
	}
	if (cgroup && !enter(cgroup)) {
		perror(cgroup);
		return 1;
	}
	for (int i = 0; i < loops; i++) {
		if (fork() == 0) {
			counts[i] = loop(until, rate ? atof(rate) : 0, argv + 3);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	for (int i = 0; i < loops; i++)
		total += counts[i];
	printf("%llu\n", (unsigned long long)total);
	return 0;
}
