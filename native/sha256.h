// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

constexpr size_t HASH_BYTES = 32;

// Whether this CPU has what hash_parts() needs.
bool can_hash_parts();

// Hashes parts of a text that follow each other, each behind the byte `prefix`: part n is ends[n]
// up to ends[n + 1], and hashes[HASH_BYTES * n] gets its SHA-256. Four are hashed at a time.
void hash_parts(uint8_t prefix, const uint8_t *text, const size_t *ends, size_t count,
		uint8_t *hashes);
