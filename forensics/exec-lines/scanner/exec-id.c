// SPDX-License-Identifier: Apache-2.0
#include "exec-id.h"

/* What is behind the namespace must leave room for SHA-1's padding in one block of 64 bytes. */
#define NAME_MAX 39u

#define ROTATED(word, bits) (((word) << (bits)) | ((word) >> (32 - (bits))))
#define CHOICE (((c ^ d) & b) ^ d)
#define PARITY (b ^ c ^ d)
#define MAJORITY ((b & c) | ((b | c) & d))

/* One round; the compiler needs no moves between the five words if it unrolls the rounds. */
#define ROUND(function, constant)                                                   \
	do {                                                                        \
		uint32_t next = ROTATED(a, 5) + (function) + e + (constant) + w[t]; \
		e = d;                                                              \
		d = c;                                                              \
		c = ROTATED(b, 30);                                                 \
		b = a;                                                              \
		a = next;                                                           \
	} while (0)

/* Hashes one block (FIPS 180-4); the digest is in w[0] to w[4] then. */
static void sha1(uint32_t w[80])
{
	uint32_t a = 0x67452301, b = 0xefcdab89, c = 0x98badcfe, d = 0x10325476, e = 0xc3d2e1f0;
	uint32_t t;

	for (t = 16; t < 80; t++) {
		uint32_t word = w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16];

		w[t] = ROTATED(word, 1);
	}
#pragma unroll
	for (t = 0; t < 20; t++)
		ROUND(CHOICE, 0x5a827999);
#pragma unroll
	for (t = 20; t < 40; t++)
		ROUND(PARITY, 0x6ed9eba1);
#pragma unroll
	for (t = 40; t < 60; t++)
		ROUND(MAJORITY, 0x8f1bbcdc);
#pragma unroll
	for (t = 60; t < 80; t++)
		ROUND(PARITY, 0xca62c1d6);
	w[0] = a + 0x67452301;
	w[1] = b + 0xefcdab89;
	w[2] = c + 0x98badcfe;
	w[3] = d + 0x10325476;
	w[4] = e + 0xc3d2e1f0;
}

bool is_id_of_exec(const uint32_t id[4], const uint32_t boot[4], struct text boot_time,
		   struct text pid)
{
	uint32_t length = boot_time.length + 1 + pid.length;
	uint8_t name[NAME_MAX + 1] = { 0 };
	uint32_t w[80];
	uint32_t at;

	if (length > NAME_MAX)
		return false;
	__builtin_memcpy(name, boot_time.bytes, boot_time.length);
	name[boot_time.length] = ':';
	__builtin_memcpy(name + boot_time.length + 1, pid.bytes, pid.length);
	name[length] = 0x80;
	for (at = 0; at < 4; at++)
		w[at] = boot[at];
	for (at = 0; at < (NAME_MAX + 1) / 4; at++) {
		uint32_t word;

		__builtin_memcpy(&word, name + 4 * at, sizeof(word));
		w[4 + at] = __builtin_bswap32(word);
	}
	w[14] = 0;
	w[15] = 8 * (16 + length);
	sha1(w);
	return w[0] == id[0] && ((w[1] & ~0xf000u) | 0x5000) == id[1] &&
	       ((w[2] & 0x3fffffff) | 0x80000000) == id[2] && w[3] == id[3];
}
