// SPDX-License-Identifier: Apache-2.0
/*
 * Finds the causes of execs among those that are before them. Evidence may be hostile: ids can be
 * chosen, so that where an id is kept depends on numbers that nobody knows; and this runs as
 * WebAssembly, which reaches no memory but its own.
 */
#include <stdbool.h>
#include <stdint.h>

#define EXPORTED(name) __attribute__((export_name(#name)))

/* The rows of a batch. */
#define BATCH 8192u
#define PAGE 65536u
/* Execs are kept in blocks, because what is kept never moves. */
#define BLOCK 16384u
#define BLOCKS_MAX 65536u
#define SLOTS_FIRST (1u << 21)

struct id {
	uint64_t low, high;
};

struct exec {
	struct id id;
	int64_t boot_time;
	int64_t created; /* when the process began: µs since the boot */
	uint32_t boot;	 /* its place in the list of boots */
};

struct block {
	struct exec execs[BLOCK];
};

struct boots {
	struct id ids[BLOCK];
};

/* The columns of a batch, which JavaScript writes as it has them (ExecColumns). */
static struct {
	struct id id[BATCH];
	struct id parent[BATCH];
	struct id boot[BATCH];
	int64_t boot_time[BATCH]; /* ns */
	int64_t age[BATCH];	  /* µs */
	uint32_t unclear[BATCH];  /* written here */
	uint8_t has_parent[BATCH];
} batch;

static struct block *blocks[BLOCKS_MAX];
static struct boots *boots[BLOCKS_MAX];
/*
 * The place of an exec in the list, plus 1; 0: no exec is here. A part of its hash tells most of
 * those apart that share a slot: to look at the exec itself would mostly miss the cache.
 */
static struct slot {
	uint32_t place, hash;
} * slots;
static uint32_t slot_bits;
static uint32_t exec_count, boot_count;
static bool has_repeats;
static uint64_t low_factor, high_factor;
static int64_t slack;

extern uint8_t __heap_base;
static uintptr_t heap;

/* Returns zeroed memory, which is never freed; a null pointer: there is none. */
static void *take(uint32_t bytes)
{
	uintptr_t at = heap ? heap : ((uintptr_t)&__heap_base + 7) & ~(uintptr_t)7;
	uint64_t end = (uint64_t)at + bytes;
	uint64_t room = (uint64_t)__builtin_wasm_memory_size(0) * PAGE;

	if (end > room) {
		uint64_t pages = (end - room + PAGE - 1) / PAGE;

		if (end > UINT32_MAX || __builtin_wasm_memory_grow(0, (uint32_t)pages) == SIZE_MAX)
			return 0;
	}
	heap = (uintptr_t)((end + 7) & ~7ull);
	return (void *)at;
}

static struct exec *exec_at(uint32_t at)
{
	return blocks[at / BLOCK]->execs + at % BLOCK;
}

static struct id *boot_at(uint32_t at)
{
	return boots[at / BLOCK]->ids + at % BLOCK;
}

static bool is_same(const struct id *a, const struct id *b)
{
	return a->low == b->low && a->high == b->high;
}

static uint64_t hash_of(const struct id *id)
{
	return id->low * low_factor + id->high * high_factor;
}

/* Returns the slot of an id, or the empty one where it belongs. */
static struct slot *slot_of(const struct id *id, uint64_t hash)
{
	uint32_t mask = (1u << slot_bits) - 1;
	uint32_t at = (uint32_t)(hash >> (64 - slot_bits));

	while (slots[at].place && (slots[at].hash != (uint32_t)hash ||
				   !is_same(&exec_at(slots[at].place - 1)->id, id)))
		at = (at + 1) & mask;
	return slots + at;
}

static void take_slot(struct slot *slot, uint64_t hash, uint32_t place)
{
	slot->place = place;
	slot->hash = (uint32_t)hash;
}

static bool make_slots(uint32_t bits)
{
	struct slot *made = take(sizeof(*made) << bits);
	uint32_t at;

	if (!made)
		return false;
	slots = made;
	slot_bits = bits;
	for (at = 0; at < exec_count; at++) {
		const struct id *id = &exec_at(at)->id;
		uint64_t hash = hash_of(id);
		struct slot *slot = slot_of(id, hash);

		if (!slot->place)
			take_slot(slot, hash, at + 1);
	}
	return true;
}

static bool keep_boot(const struct id *boot)
{
	if (boot_count > 0 && is_same(boot_at(boot_count - 1), boot))
		return true;
	if (boot_count == BLOCK * BLOCKS_MAX - 1)
		return false;
	if (boot_count % BLOCK == 0 && !(boots[boot_count / BLOCK] = take(sizeof(struct boots))))
		return false;
	*boot_at(boot_count++) = *boot;
	return true;
}

/* Keeps the exec of a row; returns false if there is no memory. */
static bool keep(uint32_t row, int64_t created)
{
	uint64_t hash = hash_of(batch.id + row);
	struct slot *slot;
	struct exec *exec;

	if (exec_count == BLOCK * BLOCKS_MAX - 1 || !keep_boot(batch.boot + row))
		return false;
	/* At most three quarters of the slots are taken. */
	if (exec_count / 3 >= (1u << slot_bits) / 4 && !make_slots(slot_bits + 1))
		return false;
	if (exec_count % BLOCK == 0 && !(blocks[exec_count / BLOCK] = take(sizeof(struct block))))
		return false;
	slot = slot_of(batch.id + row, hash);
	exec = exec_at(exec_count++);
	exec->id = batch.id[row];
	exec->boot_time = batch.boot_time[row];
	exec->created = created;
	exec->boot = boot_count - 1;
	if (slot->place)
		has_repeats = true;
	else
		take_slot(slot, hash, exec_count);
	return true;
}

/* Whether the cause of a row is before it, and the link breaks no rule of audit/links.ts. */
static bool is_clear(uint32_t row, int64_t created)
{
	const struct id *id = batch.parent + row;
	uint32_t place = slot_of(id, hash_of(id))->place;
	int64_t apart;
	struct exec *cause;

	if (!place)
		return false;
	cause = exec_at(place - 1);
	apart = created - cause->created;
	if (!is_same(boot_at(cause->boot), batch.boot + row))
		return false;
	if (batch.boot_time[row] < cause->boot_time)
		return false;
	return created >= cause->boot_time / 1000 - slack || (apart >= -1 && apart <= 1);
}

EXPORTED(batchAt) void *batch_at(void)
{
	return &batch;
}

/* Begins with two odd factors that nobody can guess, and the slack of times in µs. */
EXPORTED(begin)
bool begin(uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t slack_us)
{
	low_factor = ((uint64_t)a << 32 | b) | 1;
	high_factor = ((uint64_t)c << 32 | d) | 1;
	slack = slack_us;
	slot_bits = (uint32_t)__builtin_ctz(SLOTS_FIRST);
	return make_slots(slot_bits);
}

/*
 * Takes the first rows of the batch, which come behind all earlier ones. Returns how many of them
 * have a cause that is not clear, and their places in `unclear`; -1: there is no memory.
 */
EXPORTED(add) int32_t add(uint32_t rows)
{
	int32_t unclear = 0;
	uint32_t row;

	for (row = 0; row < rows; row++) {
		int64_t created = batch.boot_time[row] / 1000 - batch.age[row];

		if (batch.has_parent[row] && !is_clear(row, created))
			batch.unclear[unclear++] = row;
		if (!keep(row, created))
			return -1;
	}
	return unclear;
}

/* Whether an id was there more than once. */
EXPORTED(hasRepeats) bool repeats(void)
{
	return has_repeats;
}
