// SPDX-License-Identifier: Apache-2.0
/* Parts of lines that were parsed before, with what they say. */
#pragma once

#include <stdint.h>

#define SETS 2048u
#define WAYS 4u
/* What a part says that is not of the expected form. */
#define UNEXPECTED (-1)

struct part {
	const uint8_t *bytes;
	uint32_t length;
	int32_t facts;
	uint32_t age; /* a part of an earlier age is forgotten */
	/* of a resource: its place in the list of the file with this number */
	uint32_t place;
	uint32_t file;
};

struct parts {
	uint32_t oldest;
	struct part known[SETS * WAYS];
};

typedef int32_t facts_of(const uint8_t *bytes, uint32_t length);

/*
 * Finds a part, or parses it. A null pointer: it is empty or too long. What was found stays until
 * the next call for any table.
 */
struct part *find_part(struct parts *parts, const uint8_t *bytes, uint32_t length, facts_of *parse);
