/* SPDX-License-Identifier: Apache-2.0 */
/* Starts a program that asks before some of its system calls; see seccomp_unotify(2). */
#ifndef LISTENER_H
#define LISTENER_H

#include <err.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NUMBERS_MAX 64

/* Installs a filter that asks about these calls; returns where it asks. */
static int install_filter(const int *numbers, size_t count)
{
	struct sock_filter code[NUMBERS_MAX + 3];
	struct sock_fprog program = { .filter = code };
	size_t n = 0;
	int fd;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < count; i++)
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, numbers[i],
							 count - i, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	program.len = n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err(1, "no_new_privs");
	fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			  &program);
	if (fd < 0)
		err(1, "seccomp");
	return fd;
}

/* A message of one byte, with a descriptor. */
struct parcel {
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec part;
	struct msghdr message;
};

static void wrap(struct parcel *parcel)
{
	memset(parcel, 0, sizeof(*parcel));
	parcel->part = (struct iovec){ &parcel->byte, 1 };
	parcel->message.msg_iov = &parcel->part;
	parcel->message.msg_iovlen = 1;
	parcel->message.msg_control = parcel->control;
	parcel->message.msg_controllen = sizeof(parcel->control);
}

static void send_fd(int socket, int fd)
{
	struct parcel parcel;
	struct cmsghdr *head;

	wrap(&parcel);
	head = CMSG_FIRSTHDR(&parcel.message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	if (sendmsg(socket, &parcel.message, 0) < 0)
		err(1, "sendmsg");
}

static int receive_fd(int socket)
{
	struct parcel parcel;
	int fd;

	wrap(&parcel);
	if (recvmsg(socket, &parcel.message, MSG_CMSG_CLOEXEC) <= 0 ||
	    !CMSG_FIRSTHDR(&parcel.message))
		errx(1, "the program did not start");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&parcel.message)), sizeof(fd));
	return fd;
}

/* Starts a program, which ends with this one; returns where it asks about these calls. */
static int start_listened(char **argv, const int *numbers, size_t count, pid_t *pid)
{
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		err(1, "socketpair");
	*pid = fork();
	if (*pid < 0)
		err(1, "fork");
	if (*pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		send_fd(sockets[1], install_filter(numbers, count));
		execv(argv[0], argv);
		err(1, "%s", argv[0]);
	}
	close(sockets[1]);
	return receive_fd(sockets[0]);
}

#endif
