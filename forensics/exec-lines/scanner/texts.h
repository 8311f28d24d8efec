// SPDX-License-Identifier: Apache-2.0
/* The text between the values of a line, which record/line/layout.ts declares. */
#pragma once

#include "bytes.h"

/* In the order of TEXTS in exec-scanner.ts. */
enum text_name {
	ID,
	TIMESTAMP,
	PID,
	PPID,
	UID,
	GID,
	COMM,
	EXEC,
	PERMITTED_BY,
	CAUSED,
	UNOBSERVED,
	RESOURCE,
	BOOT,
	BOOT_TIME,
	HOOK,
	CPU,
	SEQ,
	VPID,
	CREATED,
	TAIL,
	TEXTS,
};

#define TEXT_MAX 64u

struct layout_text {
	uint32_t length;
	uint8_t bytes[TEXT_MAX];
};

extern struct layout_text texts[TEXTS];

/* Returns the position behind a text, if it ends before `to`; a null pointer: another one is there.
 */
static inline const uint8_t *behind(enum text_name name, const uint8_t *at, const uint8_t *to)
{
	const struct layout_text *text = texts + name;

	if (text->length > (uint32_t)(to - at) || !is_same(text->bytes, at, text->length))
		return 0;
	return at + text->length;
}
