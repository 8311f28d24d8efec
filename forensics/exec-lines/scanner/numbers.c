// SPDX-License-Identifier: Apache-2.0
#include "numbers.h"

#include <stdbool.h>
#include <wasm_simd128.h>

#define DIGITS_MAX 19
/* Billions; as much as this, or more, is not read. */
#define HIGH_END 9223372036ull
#define DAY_SECONDS 86400

static bool is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

/* The values of sixteen hexadecimal digits as they stand in an id; `bad` collects what is none. */
static v128_t nibbles(v128_t digits, v128_t *bad)
{
	v128_t decimal = wasm_i8x16_sub(digits, wasm_i8x16_splat('0'));
	v128_t letter = wasm_i8x16_sub(digits, wasm_i8x16_splat('a'));
	v128_t is_decimal = wasm_u8x16_lt(decimal, wasm_i8x16_splat(10));
	v128_t is_letter = wasm_u8x16_lt(letter, wasm_i8x16_splat(6));

	*bad = wasm_v128_or(*bad, wasm_v128_not(wasm_v128_or(is_decimal, is_letter)));
	letter = wasm_i8x16_add(letter, wasm_i8x16_splat(10));
	return wasm_v128_bitselect(decimal, letter, is_decimal);
}

/* Joins each two values to a byte, the first one above, and reverses the bytes of each four. */
static v128_t bytes_of(v128_t first, v128_t second)
{
	v128_t high = wasm_i8x16_shuffle(first, second, 6, 4, 2, 0, 14, 12, 10, 8, 22, 20, 18, 16,
					 30, 28, 26, 24);
	v128_t low = wasm_i8x16_shuffle(first, second, 7, 5, 3, 1, 15, 13, 11, 9, 23, 21, 19, 17,
					31, 29, 27, 25);

	return wasm_v128_or(wasm_i16x8_shl(high, 4), low);
}

const uint8_t *read_uuid(const uint8_t *at, uint32_t words[4])
{
	/* The digits, without the dashes between them. */
	v128_t begin = wasm_v128_load(at), middle = wasm_v128_load(at + 16),
	       end = wasm_v128_load(at + 20);
	v128_t first = wasm_i8x16_shuffle(begin, middle, 0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 14,
					  15, 16, 17);
	v128_t second = wasm_i8x16_shuffle(middle, end, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15,
					   28, 29, 30, 31);
	v128_t bad = wasm_i8x16_splat(0);

	if (at[8] != '-' || at[13] != '-' || at[18] != '-' || at[23] != '-')
		return 0;
	first = nibbles(first, &bad);
	second = nibbles(second, &bad);
	if (wasm_v128_any_true(bad))
		return 0;
	wasm_v128_store(words, bytes_of(first, second));
	return at + 36;
}

const uint8_t *read_integer(const uint8_t *at, int64_t *value)
{
	const uint8_t *from = at;
	uint64_t sum = 0;

	for (; at - from < DIGITS_MAX && is_digit(*at); at++)
		sum = 10 * sum + (*at - '0');
	if (at == from || is_digit(*at) || (*from == '0' && at - from > 1))
		return 0;
	if (sum >= HIGH_END * 1000000000ull)
		return 0;
	*value = (int64_t)sum;
	return at;
}

/* Reads so many digits; -1: there are others. */
static int32_t digits(const uint8_t *at, int count)
{
	int32_t value = 0;

	for (; count > 0; count--, at++) {
		if (!is_digit(*at))
			return -1;
		value = 10 * value + (*at - '0');
	}
	return value;
}

static bool is_leap(int32_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* The days from 1970 to a date of the Gregorian calendar, from the year 0 on. */
static int64_t days_until(int32_t year, int32_t month, int32_t day)
{
	/* The year begins in March, so that the day of a leap year is its last. */
	int32_t years = year - (month <= 2);
	int32_t months = month <= 2 ? month + 9 : month - 3;
	int32_t leaps = (years + 400) / 4 - (years + 400) / 100 + (years + 400) / 400 - 97;

	return 365ll * years + leaps + (153 * months + 2) / 5 + day - 1 - 719468;
}

/* Reads a day; false: it is none. */
static bool read_day(const uint8_t *at, int64_t *seconds)
{
	static const uint8_t DAYS[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int32_t year = digits(at, 4), month = digits(at + 5, 2), day = digits(at + 8, 2);

	if (at[4] != '-' || at[7] != '-' || year < 0 || month < 1 || month > 12 || day < 1)
		return false;
	if (day > DAYS[month - 1] + (month == 2 && is_leap(year)))
		return false;
	*seconds = days_until(year, month, day) * DAY_SECONDS;
	return true;
}

const uint8_t *read_time(const uint8_t *at, int64_t *seconds, int32_t *nanos)
{
	int32_t hour, minute, second;

	if (!read_day(at, seconds) || at[10] != 'T' || at[13] != ':' || at[16] != ':')
		return 0;
	hour = digits(at + 11, 2);
	minute = digits(at + 14, 2);
	second = digits(at + 17, 2);
	*nanos = digits(at + 20, 9);
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
		return 0;
	if (at[19] != '.' || *nanos < 0 || at[29] != 'Z')
		return 0;
	*seconds += 3600 * hour + 60 * minute + second;
	return at + 30;
}

const uint8_t *skip_plain(const uint8_t *at)
{
	while (*at >= 0x20 && *at < 0x7f && *at != '"' && *at != '\\')
		at++;
	return at;
}
