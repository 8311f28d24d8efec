/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hold ADDRESS SOURCES COUNT PORT...
 * Holds so many idle connections to each port of an address, and opens another one for each that
 * the other side ends. They come from as many addresses in 127.1.0.0/16, which are all of the
 * loopback interface; 0: from the address that the kernel chooses. Prints a line when it has asked
 * for all of them, and ends with its parent.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in target = { .sin_family = AF_INET };
static int sources;

static void open_connection(struct pollfd *slot, const char *port)
{
	static unsigned int opened;
	struct sockaddr_in source = { .sin_family = AF_INET };

	slot->events = POLLIN;
	slot->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (slot->fd < 0)
		err(1, "socket");
	if (sources > 0) {
		source.sin_addr.s_addr = htonl(0x7f010001 + opened++ % sources);
		if (bind(slot->fd, (struct sockaddr *)&source, sizeof(source)))
			err(1, "bind");
	}
	target.sin_port = htons(atoi(port));
	if (connect(slot->fd, (struct sockaddr *)&target, sizeof(target)) && errno != EINPROGRESS) {
		close(slot->fd);
		slot->fd = -1; /* no port is free on this side; the next turn tries again */
	}
}

int main(int argc, char **argv)
{
	int ports = argc - 4;
	int total = ports > 0 ? atoi(argv[3]) * ports : 0;
	struct rlimit files;
	struct pollfd *slots;

	if (total < 1 || inet_pton(AF_INET, argv[1], &target.sin_addr) != 1)
		errx(64, "usage: hold ADDRESS SOURCES COUNT PORT...");
	sources = atoi(argv[2]);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	slots = calloc(total, sizeof(*slots));
	if (!slots)
		err(1, "calloc");
	for (int i = 0; i < total; i++)
		open_connection(&slots[i], argv[4 + i % ports]);
	puts("holding");
	fflush(stdout);
	while (poll(slots, total, 100) >= 0)
		for (int i = 0; i < total; i++) {
			if (slots[i].fd >= 0 && !slots[i].revents)
				continue;
			if (slots[i].fd >= 0)
				close(slots[i].fd);
			open_connection(&slots[i], argv[4 + i % ports]);
		}
	return 1;
}
