/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plays random moves over a tree of processes and writes down what caused what.
 *
 *	model MARKER MOVES SEED TRUTH-FILE
 *
 * Nothing of the truth is read from the kernel. Every process has in its own memory the number of
 * the invocation that it acts under: fork copies the number with the memory, and an exec passes its
 * number to the next invocation. MARKER is `model:RUN:0`; invocation n has the argument
 * `model:RUN:n`, which finds its record in a journal.
 *
 * The coordinator (number 0) picks batches of moves from the seed; the processes of one batch act
 * at the same time.
 */
#include "model.h"

/* In percent; the rest of FORK to EXIT. */
static const int weights[MOVES] = { 10, 6, 5, 8, 5, 12, 6, 8, 6, 6, 4, 4, 4, 2, 14 };

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 11) % limit;
}

static enum move random_move(void)
{
	int roll = random_below(100), move = 0;

	while (move < EXIT && (roll -= weights[move]) >= 0)
		move++;
	return move;
}

static int makes_process(enum move move)
{
	return move <= THREAD_FORK || move == FORK_EXEC || move == FORK_EXEC_BOTH;
}

static void give(uint32_t slot)
{
	atomic_fetch_add(&shared->slots[slot].order, 1);
	futex_wake(&shared->slots[slot].order);
}

static void await(uint32_t answers)
{
	uint32_t done;

	while ((done = shared->done) < answers)
		futex_wait(&shared->done, done);
	shared->done = 0;
}

/* A slot that is `live` or not and has no part in this batch, or -1. */
static int pick(uint32_t live, const char *busy)
{
	uint32_t start = random_below(SLOTS);

	for (uint32_t i = 0; i < SLOTS; i++) {
		uint32_t slot = (start + i) % SLOTS;

		if (shared->slots[slot].live == live && !busy[slot])
			return slot;
	}
	return -1;
}

/* Plays one batch; returns how many moves it took. */
static uint32_t play(uint32_t *next_marker, uint32_t *last_dead)
{
	char busy[SLOTS] = { 0 };
	uint32_t chosen[BATCH], count = 0, answers = 0;

	while (count < BATCH) {
		int actor = pick(1, busy), child = -1;
		struct slot *slot = &shared->slots[actor < 0 ? 0 : actor];
		enum move move = random_move();

		if (actor < 0)
			break;
		busy[actor] = 1;
		if (makes_process(move) && (child = pick(0, busy)) < 0)
			move = EXIT;
		slot->move = move;
		slot->reuse = 0;
		answers++;
		if (child >= 0) {
			slot->child = child;
			busy[child] = 1;
			answers++;
			shared->slots[child].live = 1;
		}
		slot->marker[0] = (*next_marker)++;
		slot->marker[1] = (*next_marker)++;
		if (move == REUSE) {
			slot->reuse = *last_dead;
			*last_dead = 0;
		} else if (move == EXIT) {
			*last_dead = slot->pid;
			slot->live = 0;
		}
		chosen[count++] = actor;
	}
	for (uint32_t i = 0; i < count; i++)
		give(chosen[i]);
	await(answers);
	return count;
}

static void write_truth(const char *path, uint32_t markers, uint32_t moves)
{
	FILE *file = fopen(path, "w");

	if (!file)
		err(1, "%s", path);
	fprintf(file, "moves %u reused %u\n", moves, shared->reused);
	for (uint32_t i = 1; i < markers; i++) {
		const struct truth *truth = &shared->truth[i];

		if (truth->state != UNUSED)
			fprintf(file, "%u %u %u %s %lu %lu\n", i, truth->parent, truth->pid,
				truth->state == FAILED ? "failed" : "executed", truth->before,
				truth->after);
	}
	if (fclose(file) != 0)
		err(1, "%s", path);
}

static void coordinate(uint32_t moves, const char *truth_path)
{
	uint32_t marker = 1, played = 0, last_dead = 0;

	/* children end without being waited for, and so do orphans */
	signal(SIGCHLD, SIG_IGN);
	must(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	while (played < moves) {
		char nobody[SLOTS] = { 0 };
		int slot = pick(0, nobody);

		/* keeps the tree from dying out, and makes children of number 0 at any time */
		if (slot >= 0 && (pick(1, nobody) < 0 || random_below(50) == 0)) {
			shared->slots[slot].live = 1;
			if (must(fork()) == 0)
				begin(slot);
			await(1);
		}
		played += play(&marker, &last_dead);
	}
	for (uint32_t slot = 0; slot < SLOTS; slot++) {
		if (shared->slots[slot].live) {
			shared->slots[slot].move = EXIT;
			give(slot);
			await(1);
		}
	}
	write_truth(truth_path, marker, played);
}

int main(int argc, char **argv)
{
	uint32_t moves;

	if (argc != 3 && argc != 5)
		errx(64, "usage: model model:RUN:0 MOVES SEED TRUTH-FILE");
	if (sscanf(argv[1], "model:%60[^:]:%u", run_name, &cause) != 2)
		errx(64, "not a marker: %s", argv[1]);
	if (argc == 3) {
		map_shared(0);
		shared->truth[cause].after = now();
		begin(atoi(argv[2]));
	}
	moves = strtoul(argv[2], NULL, 10);
	random_state = strtoull(argv[3], NULL, 10) * 0x9e3779b97f4a7c15ULL + 1;
	map_shared(2 * ((size_t)moves + 2 * BATCH));
	coordinate(moves, argv[4]);
	return 0;
}
