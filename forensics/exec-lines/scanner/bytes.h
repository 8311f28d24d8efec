// SPDX-License-Identifier: Apache-2.0
/* Comparing and finding bytes, sixteen at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <wasm_simd128.h>

#define WIDE 16u
/* So many bytes behind every buffer can be read. */
#define PADDING 64u

/* Returns the position of the first such byte; `to`: there is none. */
static inline const uint8_t *find_byte(const uint8_t *at, const uint8_t *to, uint8_t byte)
{
	v128_t wanted = wasm_i8x16_splat((int8_t)byte);

	for (; at < to; at += WIDE) {
		uint32_t found = wasm_i8x16_bitmask(wasm_i8x16_eq(wasm_v128_load(at), wanted));

		if (found) {
			at += __builtin_ctz(found);
			return at < to ? at : to;
		}
	}
	return to;
}

static inline bool is_same(const uint8_t *a, const uint8_t *b, uint32_t length)
{
	uint32_t at = 0;

	if (length < WIDE) {
		for (; at < length; at++)
			if (a[at] != b[at])
				return false;
		return true;
	}
	for (; at + WIDE <= length; at += WIDE)
		if (wasm_v128_any_true(
			    wasm_v128_xor(wasm_v128_load(a + at), wasm_v128_load(b + at))))
			return false;
	at = length - WIDE;
	return !wasm_v128_any_true(wasm_v128_xor(wasm_v128_load(a + at), wasm_v128_load(b + at)));
}
