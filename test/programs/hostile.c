/* SPDX-License-Identifier: Apache-2.0 */
/* Names and arguments that try a recorder: every byte, too much, nothing, not in memory. */
#include "case.h"

static void run(const char *path, char **argv)
{
	execve(path, argv, environ);
	err(1, "%s", path);
}

/* DIR MARKER: a file named by all bytes but NUL and the slash, with all bytes but NUL in an
 * argument */
static void all_bytes(char **args)
{
	char name[256], argument[256], path[PATH_MAX];
	char *argv[] = { "noop", args[1], argument, NULL };
	int length = 0;

	for (int byte = 1; byte < 256; byte++) {
		argument[byte - 1] = byte;
		if (byte != '/')
			name[length++] = byte;
	}
	argument[255] = name[length] = 0;
	snprintf(path, sizeof(path), "%s/%s", args[0], name);
	if (symlink(beside("noop"), path) < 0)
		err(1, "symlink");
	run(path, argv);
}

/* MARKER: one mebibyte of arguments, in pieces as long as the kernel takes them */
static void mebibyte(char **args)
{
	enum { PIECE = 128 * 1024 };
	char *piece = malloc(PIECE);
	char *argv[11] = { "noop", args[0] };

	memset(piece, 'a', PIECE);
	piece[PIECE - 1] = 0;
	for (int i = 0; i < 8; i++)
		argv[2 + i] = piece;
	run(beside("noop"), argv);
}

/* MARKER: very many arguments */
static void many(char **args)
{
	static char *argv[60001];

	argv[0] = "noop";
	argv[1] = args[0];
	for (int i = 2; i < 60000; i++)
		argv[i] = "m";
	run(beside("noop"), argv);
}

/* FILE MARKER: twelve arguments, each alone on a page of a file that is not in memory */
static void absent(char **args)
{
	enum { PAGE = 4096, PAGES = 12 };
	char *argv[PAGES + 3] = { "noop", args[1] };
	int fd = must(open(args[0], O_CREAT | O_TRUNC | O_RDWR, 0644));
	char *file;

	must(ftruncate(fd, PAGE * PAGES));
	for (int i = 0; i < PAGES; i++) {
		char text[128];
		int length = snprintf(text, sizeof(text), "absent-%d", i);

		/* the last one crosses no page, the others end one */
		must(pwrite(fd, text, length + 1, PAGE * (i + 1) - length - 1));
	}
	must(fsync(fd));
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	file = mmap(NULL, PAGE * PAGES, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file == MAP_FAILED)
		err(1, "mmap");
	for (int i = 0; i < PAGES; i++) {
		char text[128];
		int length = snprintf(text, sizeof(text), "absent-%d", i);

		argv[2 + i] = file + PAGE * (i + 1) - length - 1;
	}
	run(beside("noop"), argv);
}

/* MARKER: empty arguments between others */
static void empty(char **args)
{
	char *argv[] = { "noop", args[0], "", "x", "", NULL };

	run(beside("noop"), argv);
}

/* DIR NAME: no argument at all; the record is found by the name of the file */
static void none(char **args)
{
	char path[PATH_MAX];
	char *argv[] = { NULL };

	snprintf(path, sizeof(path), "%s/%s", args[0], args[1]);
	must(symlink(beside("noop"), path));
	run(path, argv);
}

/* DIR MARKER: a comm that is cut within a character, and an argument with line separators */
static void unicode(char **args)
{
	char path[PATH_MAX];
	char *argv[] = { "noop",
			 args[1],
			 "\u2028\u2029\xc2\x85\u00e9\U0001f600\ufeff",
			 "\xed\xa0\x80 \xf4\x90\x80\x80 \xc0\xaf \xe2\x82",
			 "\\x41\\\\ \"\n",
			 NULL };

	snprintf(path, sizeof(path), "%s/\U0001f600\U0001f600\U0001f600\U0001f600", args[0]);
	must(symlink(beside("noop"), path));
	run(path, argv);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "all-bytes", all_bytes }, { "mebibyte", mebibyte }, { "many", many },
		{ "absent", absent },	    { "empty", empty },	      { "none", none },
		{ "unicode", unicode },	    { NULL, NULL },
	};

	(void)argc;
	return run_case(cases, argv);
}
