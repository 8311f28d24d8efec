/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verifier OBJECT: has the kernel verify every program and prints how many instructions that took,
 * one `NAME COUNT` a line. From the log's statistics: older kernels tell it nowhere else.
 */
#include <bpf/libbpf.h>
#include <err.h>
#include <stdio.h>
#include <string.h>

enum { LOG_STATISTICS = 4, PROGRAMS_MAX = 16, LOG_BYTES = 1 << 16 };

static char logs[PROGRAMS_MAX][LOG_BYTES];

int main(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .kernel_log_level = LOG_STATISTICS);
	struct bpf_object *object;
	struct bpf_program *program;
	int count = 0;

	if (argc != 2)
		errx(64, "usage: verifier OBJECT");
	object = bpf_object__open_file(argv[1], &options);
	if (!object)
		err(1, "%s", argv[1]);
	bpf_object__for_each_program (program, object) {
		if (count == PROGRAMS_MAX)
			errx(1, "more than %d programs", PROGRAMS_MAX);
		bpf_program__set_log_buf(program, logs[count++], LOG_BYTES);
	}
	if (bpf_object__load(object))
		err(1, "load");
	count = 0;
	bpf_object__for_each_program (program, object) {
		const char *line = strstr(logs[count++], "processed ");
		unsigned int instructions;

		if (!line || sscanf(line, "processed %u insns", &instructions) != 1)
			errx(1, "%s: the log tells no count", bpf_program__name(program));
		printf("%s %u\n", bpf_program__name(program), instructions);
	}
	return 0;
}
