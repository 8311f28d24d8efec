// SPDX-License-Identifier: Apache-2.0
/*
 * Reads lines of execs in exactly the form in which the agent writes them. Most of such a line
 * stands in many others, too: what a container says, and what an invocation says. Each such part is
 * parsed once, by JavaScript, and compared then. Evidence may be hostile: this runs as WebAssembly,
 * which reaches no memory but its own.
 */
#include "bytes.h"
#include "line.h"
#include "texts.h"

#define EXPORTED(name) __attribute__((export_name(#name)))

#define INPUT_MAX (8u << 20)
/* The rows of a batch. */
#define ROWS 2048u

enum found {
	NEEDS_INPUT,
	BATCH_IS_FULL,
	OTHER_LINE, /* a line that is none of these */
};

struct layout_text texts[TEXTS];

/* Text that JavaScript writes: from `at` to `end` it was not read yet. */
static struct {
	uint32_t at, end;
	uint32_t line_at, line_end; /* the line that is none of ours */
	uint8_t bytes[INPUT_MAX + PADDING];
} input;

/* The columns of a batch; the bytes are as DuckDB keeps such values. */
static struct {
	uint32_t id[ROWS][4];
	uint32_t parent[ROWS][4];
	uint32_t boot[ROWS][4];
	int64_t boot_time[ROWS];
	int64_t hook[ROWS];
	int64_t seq[ROWS];
	int64_t wall[ROWS]; /* the distance between the wall clock and the boot clock, in ns */
	int64_t age[ROWS];  /* of the process, in µs */
	int32_t cpu[ROWS];
	uint32_t resource[ROWS];
	uint8_t has_parent[ROWS];
	/* for the check of an index: Unix seconds and nanoseconds, and the line without its line
	 * feed */
	double seconds[ROWS];
	double nanos[ROWS];
	uint32_t length[ROWS];
	uint32_t rows;
} batch;

static bool are_ordinary;

EXPORTED(textsAt) struct layout_text *texts_at(void)
{
	return texts;
}

EXPORTED(inputAt) void *input_at(void)
{
	return &input;
}

EXPORTED(batchAt) void *batch_at(void)
{
	return &batch;
}

/* Begins a file; its execs are rows only if they break no rule, if `only_ordinary`. */
EXPORTED(begin) void begin(uint32_t only_ordinary)
{
	are_ordinary = only_ordinary;
	input.at = 0;
	input.end = 0;
	batch.rows = 0;
	begin_file();
}

/* Makes room for more input behind what was not read yet; returns how much there is. */
EXPORTED(room) uint32_t room(void)
{
	__builtin_memmove(input.bytes, input.bytes + input.at, input.end - input.at);
	input.end -= input.at;
	input.at = 0;
	return INPUT_MAX - input.end;
}

/* DuckDB keeps a UUID as a number of 128 bits, and orders it by inverting the highest one. */
static void set_uuid(uint32_t column[4], const uint32_t words[4])
{
	column[0] = words[3];
	column[1] = words[2];
	column[2] = words[1];
	column[3] = words[0] ^ 0x80000000;
}

static void add_row(const struct line *line, uint32_t length)
{
	static const uint32_t none[4] = { 0x80000000, 0, 0, 0 };
	uint32_t row = batch.rows++;
	int64_t micros = line->time % BILLION / 1000 - line->created_nanos / 1000;

	set_uuid(batch.id[row], line->id);
	set_uuid(batch.parent[row], line->has_parent ? line->parent : none);
	set_uuid(batch.boot[row], line->boot);
	batch.has_parent[row] = line->has_parent;
	batch.boot_time[row] = line->boot_time;
	batch.hook[row] = line->hook;
	batch.seq[row] = line->seq;
	batch.wall[row] = line->time - line->boot_time;
	batch.age[row] = (line->time / BILLION - line->created) * 1000000 + micros;
	batch.cpu[row] = line->cpu;
	batch.resource[row] = line->resource;
	batch.seconds[row] = (double)(line->time / BILLION);
	batch.nanos[row] = (double)(line->time % BILLION);
	batch.length[row] = length;
}

/* Reads lines until something is to be done; what a batch has is taken by JavaScript then. */
EXPORTED(scan) enum found scan(void)
{
	const uint8_t *end = input.bytes + input.end;
	static struct line line;

	batch.rows = 0;
	while (batch.rows < ROWS) {
		const uint8_t *from = input.bytes + input.at;
		const uint8_t *to = find_byte(from, end, '\n');

		if (to == end)
			return NEEDS_INPUT;
		input.at = (uint32_t)(to + 1 - input.bytes);
		if (!read_line(&line, from, to) || (are_ordinary && !is_ordinary(&line))) {
			input.line_at = (uint32_t)(from - input.bytes);
			input.line_end = (uint32_t)(to - input.bytes);
			return OTHER_LINE;
		}
		add_row(&line, (uint32_t)(to - from));
	}
	return BATCH_IS_FULL;
}
