// SPDX-License-Identifier: Apache-2.0
/* The line of an exec, in exactly the form in which the agent writes it. */
#pragma once

#include "exec-id.h"

#include <stdbool.h>
#include <stdint.h>

/* What JavaScript says of a resource. */
#define HAS_HOST 1
#define HAS_CONTAINER 2
#define HAS_POD 4
/* What it says of the attributes from the executable on. */
#define IS_SOUND 1
#define HAS_ENTRY 2
#define HAS_METADATA_STATE 4
#define HAS_UNIT 8

#define BILLION 1000000000ll

struct line {
	/* four words, the most significant first */
	uint32_t id[4];
	uint32_t parent[4];
	uint32_t boot[4];
	bool has_parent;
	/* Unix nanoseconds */
	int64_t time;
	int64_t boot_time;
	int64_t hook;
	int64_t seq;
	int32_t cpu;
	struct text boot_time_text;
	struct text pid_text;
	/* when the process began: Unix seconds and nanoseconds */
	int64_t created;
	int32_t created_nanos;
	/* the place of the resource in the list of the file */
	uint32_t resource;
	int32_t resource_facts;
	int32_t tail_facts;
};

/* Begins another file, whose resources have places of their own. */
void begin_file(void);

/*
 * Reads a line, whose line feed is at `to`. Returns whether it is of this form; any other line may
 * be anything, also a sound record.
 */
bool read_line(struct line *line, const uint8_t *at, const uint8_t *to);

/*
 * Whether an exec breaks no rule of the audit that is about one line. It answers no where it would
 * have to look closer: the rules in audit/line-rules.ts then judge the line.
 */
bool is_ordinary(const struct line *line);
