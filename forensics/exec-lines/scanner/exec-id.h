// SPDX-License-Identifier: Apache-2.0
/* The id of an exec, computed without record/uuid.ts on purpose: see audit/line-rules.ts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Text in a line. */
struct text {
	const uint8_t *bytes;
	uint32_t length;
};

/*
 * Whether an id is the UUIDv5 (RFC 9562) of `<boot time>:<pid>` in the namespace of the boot. Both
 * ids are four words, the most significant first.
 */
bool is_id_of_exec(const uint32_t id[4], const uint32_t boot[4], struct text boot_time,
		   struct text pid);
