// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) of several texts at once, with the instructions that x86 CPUs have for it.
// Each round needs the one before, so that one text leaves the unit idle half of the time, and
// OpenSSL hashes one at a time. A record's share of a checkpoint then takes about half
// (docs/performance.md). Readers verify what is hashed here with OpenSSL.
#include "sha256.h"

#if defined(__x86_64__)

#include <algorithm>
#include <cpuid.h>
#include <cstring>
#include <immintrin.h>

static const size_t LANES = 4;
static const size_t BLOCK_BYTES = 64;
// What the padding needs besides zeros: a byte, and the length in bits.
static const size_t LENGTH_BYTES = 8;

alignas(16) static const uint32_t ROUND_CONSTANTS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// A hash on its way: the words A to H, as the instructions want them.
struct Hash {
	__m128i abef = _mm_set_epi32(0x6a09e667, static_cast<int>(0xbb67ae85), 0x510e527f,
				     static_cast<int>(0x9b05688c));
	__m128i cdgh =
	    _mm_set_epi32(0x3c6ef372, static_cast<int>(0xa54ff53a), 0x1f83d9ab, 0x5be0cd19);
};

// Takes `count` blocks of each of N texts into their hashes.
template <size_t N>
__attribute__((target("sha,sse4.1"))) static void
add_blocks(Hash *hashes, const uint8_t *const *texts, size_t count)
{
	const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

	for (size_t block = 0; block < count; block++) {
		__m128i abef[N], cdgh[N], words[N][4];

		for (size_t n = 0; n < N; n++) {
			abef[n] = hashes[n].abef;
			cdgh[n] = hashes[n].cdgh;
		}
#pragma GCC unroll 16
		for (size_t four = 0; four < 16; four++) {
			const __m128i constants = _mm_load_si128(
			    reinterpret_cast<const __m128i *>(ROUND_CONSTANTS) + four);
#pragma GCC unroll 4
			for (size_t n = 0; n < N; n++) {
				__m128i *const word = words[n];
				__m128i next;

				if (four < 4) {
					const uint8_t *from =
					    texts[n] + block * BLOCK_BYTES + four * sizeof(next);
					next = _mm_shuffle_epi8(
					    _mm_loadu_si128(
						reinterpret_cast<const __m128i *>(from)),
					    big_endian);
				} else {
					const __m128i last = word[(four + 3) & 3];

					next = _mm_sha256msg1_epu32(word[four & 3],
								    word[(four + 1) & 3]);
					next = _mm_add_epi32(
					    next, _mm_alignr_epi8(last, word[(four + 2) & 3], 4));
					next = _mm_sha256msg2_epu32(next, last);
				}
				word[four & 3] = next;
				next = _mm_add_epi32(next, constants);
				cdgh[n] = _mm_sha256rnds2_epu32(cdgh[n], abef[n], next);
				abef[n] = _mm_sha256rnds2_epu32(abef[n], cdgh[n],
								_mm_shuffle_epi32(next, 0x0e));
			}
		}
		for (size_t n = 0; n < N; n++) {
			hashes[n].abef = _mm_add_epi32(hashes[n].abef, abef[n]);
			hashes[n].cdgh = _mm_add_epi32(hashes[n].cdgh, cdgh[n]);
		}
	}
}

// A text that is hashed behind a prefix. Its blocks are one with the prefix, then the text's own,
// then what remains of it with the padding.
struct Part {
	uint8_t prefix;
	const uint8_t *text;
	size_t bytes;

	size_t whole_blocks() const
	{
		return bytes < BLOCK_BYTES ? 0 : (bytes - (BLOCK_BYTES - 1)) / BLOCK_BYTES;
	}

	const uint8_t *blocks() const { return text + BLOCK_BYTES - 1; }
};

static void add_block(Hash *hash, const uint8_t *block, size_t count = 1)
{
	add_blocks<1>(hash, &block, count);
}

// Adds what follows the whole blocks, with the padding, and writes the hash.
static void finish(Hash *hash, const Part &part, uint8_t *to)
{
	uint8_t rest[2 * BLOCK_BYTES] = {};
	const uint64_t bits = 8 * (1 + static_cast<uint64_t>(part.bytes));
	size_t filled;

	if (part.bytes < BLOCK_BYTES - 1) {
		filled = 1 + part.bytes; // there was no block before
		rest[0] = part.prefix;
		std::copy_n(part.text, part.bytes, rest + 1); // none of an empty text
	} else {
		const uint8_t *from = part.blocks() + part.whole_blocks() * BLOCK_BYTES;

		filled = static_cast<size_t>(part.text + part.bytes - from);
		memcpy(rest, from, filled);
	}
	rest[filled] = 0x80;
	const size_t count = filled + 1 + LENGTH_BYTES > BLOCK_BYTES ? 2 : 1;
	for (size_t n = 0; n < LENGTH_BYTES; n++)
		rest[count * BLOCK_BYTES - 1 - n] = static_cast<uint8_t>(bits >> (8 * n));
	add_block(hash, rest, count);

	uint32_t abef[4], cdgh[4];
	_mm_storeu_si128(reinterpret_cast<__m128i *>(abef), hash->abef);
	_mm_storeu_si128(reinterpret_cast<__m128i *>(cdgh), hash->cdgh);
	const uint32_t words[] = {abef[3], abef[2], cdgh[3], cdgh[2],
				  abef[1], abef[0], cdgh[1], cdgh[0]};
	for (size_t n = 0; n < HASH_BYTES; n++)
		to[n] = static_cast<uint8_t>(words[n / 4] >> (24 - 8 * (n % 4)));
}

// Hashes N parts together as far as the shortest has blocks, and then the rest of each.
template <size_t N>
static void hash_together(uint8_t prefix, const uint8_t *text, const size_t *ends, uint8_t *hashes)
{
	Hash found[N];
	Part parts[N];
	uint8_t first[N][BLOCK_BYTES];
	const uint8_t *texts[N];
	size_t together = SIZE_MAX;

	for (size_t n = 0; n < N; n++) {
		const Part part = {prefix, text + ends[n], ends[n + 1] - ends[n]};

		if (part.bytes >= BLOCK_BYTES - 1) {
			first[n][0] = prefix;
			memcpy(first[n] + 1, part.text, BLOCK_BYTES - 1);
			add_block(&found[n], first[n]);
		}
		parts[n] = part;
		texts[n] = part.blocks();
		together = std::min(together, part.whole_blocks());
	}
	if (together > 0)
		add_blocks<N>(found, texts, together);
	for (size_t n = 0; n < N; n++) {
		const size_t alone = parts[n].whole_blocks() - together;

		if (alone > 0)
			add_block(&found[n], texts[n] + together * BLOCK_BYTES, alone);
		finish(&found[n], parts[n], hashes + n * HASH_BYTES);
	}
}

bool can_hash_parts()
{
	unsigned int eax, ebx, ecx, edx;

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_SSE4_1))
		return false;
	return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx & bit_SHA);
}

void hash_parts(uint8_t prefix, const uint8_t *text, const size_t *ends, size_t count,
		uint8_t *hashes)
{
	size_t at = 0;

	for (; count - at >= LANES; at += LANES)
		hash_together<LANES>(prefix, text, ends + at, hashes + at * HASH_BYTES);
	for (; at < count; at++)
		hash_together<1>(prefix, text, ends + at, hashes + at * HASH_BYTES);
}

#else

bool can_hash_parts()
{
	return false;
}

void hash_parts(uint8_t, const uint8_t *, const size_t *, size_t, uint8_t *) {}

#endif
