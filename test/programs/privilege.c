/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privilege WORD... FILE MARKER: changes what the process may do, word by word, and becomes FILE,
 * which MARKER identifies.
 */
#include "case.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

enum { USER = 1000, SET = 1 << CAP_NET_RAW };

/* Permits every call. */
static void filter(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = 1, .filter = &allow };

	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

static void no_new_privs(void)
{
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static void user(void)
{
	must(setgid(USER));
	must(setuid(USER));
}

static void user_but_effective(void)
{
	must(setresgid(USER, -1, -1));
	must(setresuid(USER, -1, -1));
}

static void effective_user(void)
{
	must(seteuid(USER));
}

static void bound(void)
{
	must(prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT, 0, 0, 0));
}

/* Keeps all permitted capabilities, or this set only. */
static void set_capabilities(uint32_t permitted)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	must(syscall(SYS_capget, &head, data));
	data[0].inheritable = SET;
	if (permitted) {
		data[0].permitted = data[0].effective = permitted;
		data[1].permitted = data[1].effective = 0;
	}
	must(syscall(SYS_capset, &head, data));
}

static void inheritable(void)
{
	set_capabilities(0);
}

/* The user with one ambient capability. */
static void ambient(void)
{
	must(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
	user();
	set_capabilities(SET);
	must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0));
}

/* Here, the working directory is on a mount that honours no setuid bit. */
static void nosuid(void)
{
	char path[PATH_MAX];

	if (!getcwd(path, sizeof(path)))
		err(1, "getcwd");
	must(unshare(CLONE_NEWNS));
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	must(mount(path, path, NULL, MS_BIND, NULL));
	must(mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_NOSUID, NULL));
}

/* The user in a user namespace without root. */
static void namespace(void)
{
	user();
	must(unshare(CLONE_NEWUSER));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*change)(void);
	} words[] = {
		{ "filter", filter },
		{ "no-new-privs", no_new_privs },
		{ "user", user },
		{ "user-but-effective", user_but_effective },
		{ "effective-user", effective_user },
		{ "bound", bound },
		{ "inheritable", inheritable },
		{ "ambient", ambient },
		{ "nosuid", nosuid },
		{ "namespace", namespace },
		{ NULL, NULL },
	};

	for (argv++; argc > 3; argc--, argv++) {
		size_t i = 0;

		while (words[i].name && strcmp(words[i].name, *argv) != 0)
			i++;
		if (!words[i].name)
			errx(64, "no such word: %s", *argv);
		words[i].change();
	}
	execv(argv[0], argv);
	err(1, "%s", argv[0]);
}
