// SPDX-License-Identifier: Apache-2.0
/*
 * Numbers, ids and times as a line has them. Each function returns the position behind its value,
 * or a null pointer. None reads on behind a line feed.
 */
#pragma once

#include <stdint.h>

/* Reads a UUID in lower case into four words, the most significant first. */
const uint8_t *read_uuid(const uint8_t *at, uint32_t words[4]);

/* Reads a positive integer of at most 63 bits, without a sign, an exponent or leading zeros. */
const uint8_t *read_integer(const uint8_t *at, int64_t *value);

/* Reads a time as `2026-01-31T00:00:00.000000000Z`. */
const uint8_t *read_time(const uint8_t *at, int64_t *seconds, int32_t *nanos);

/* Returns the first byte that is not printable ASCII, or ends or escapes a string. */
const uint8_t *skip_plain(const uint8_t *at);
