// SPDX-License-Identifier: Apache-2.0
#include "parts.h"
#include "bytes.h"

/* A longer part is rare, and would take much memory. */
#define PART_MAX (16u << 10)
/* What is kept. When it is full, the parts of every table are forgotten. */
#define KEPT_MAX (8u << 20)

static uint8_t kept[KEPT_MAX + PADDING];
static uint32_t kept_length;
static uint32_t age = 1;

static uint32_t word(const uint8_t *at)
{
	uint32_t value;

	__builtin_memcpy(&value, at, sizeof(value));
	return value;
}

/* Four of 32 bytes choose the set, and all of the last ones, which often differ alone. */
static struct part *set_of(struct parts *parts, const uint8_t *bytes, uint32_t length)
{
	uint32_t hash = length;
	uint32_t at;

	for (at = 0; at + 32 < length; at += 32)
		hash = ((hash ^ word(bytes + at)) * 0x9e3779b1u) ^ (hash >> 15);
	for (at = length > 24 ? length - 24 : 0; at + 4 < length; at += 4)
		hash = ((hash ^ word(bytes + at)) * 0x9e3779b1u) ^ (hash >> 15);
	return parts->known + ((hash ^ (hash >> 15)) & (SETS - 1)) * WAYS;
}

static const uint8_t *keep(const uint8_t *bytes, uint32_t length)
{
	uint8_t *copy = kept;

	if (kept_length + length > KEPT_MAX) {
		age++;
		kept_length = 0;
	}
	copy += kept_length;
	__builtin_memcpy(copy, bytes, length);
	kept_length += length;
	return copy;
}

struct part *find_part(struct parts *parts, const uint8_t *bytes, uint32_t length, facts_of *parse)
{
	struct part *set, *part;
	uint32_t way;

	if (length == 0 || length > PART_MAX)
		return 0;
	set = set_of(parts, bytes, length);
	for (way = 0; way < WAYS; way++) {
		part = set + way;
		if (part->age == age && part->length == length &&
		    is_same(part->bytes, bytes, length))
			return part;
	}
	for (way = 0; way < WAYS && set[way].age == age; way++)
		;
	if (way == WAYS)
		way = parts->oldest++ % WAYS;
	part = set + way;
	part->bytes = keep(bytes, length);
	part->length = length;
	part->facts = parse(bytes, length);
	part->age = age;
	part->file = 0;
	return part;
}
