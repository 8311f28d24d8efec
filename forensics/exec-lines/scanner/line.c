// SPDX-License-Identifier: Apache-2.0
#include "line.h"
#include "bytes.h"
#include "numbers.h"
#include "parts.h"
#include "texts.h"

/* How many lengths of resources are tried before a search. */
#define LENGTHS 8
/* Unix seconds in the year 2096. */
#define SECONDS_MAX 4000000000ll
#define SEQ_MAX ((1ll << 53) - 1)

#define IMPORTED(name) __attribute__((import_module("record"), import_name(#name)))

IMPORTED(resourceFacts) int32_t resource_facts(const uint8_t *bytes, uint32_t length);
IMPORTED(gapFacts) int32_t gap_facts(const uint8_t *bytes, uint32_t length);
IMPORTED(tailFacts) int32_t tail_facts(const uint8_t *bytes, uint32_t length);
/* Adds a resource to the list of the file, and returns its place in it. */
IMPORTED(placeOf) uint32_t place_of(const uint8_t *bytes, uint32_t length);

static struct parts resources, gaps, tails;
static uint32_t file;
static uint32_t lengths[LENGTHS];

void begin_file(void)
{
	file++;
}

/* Finds the end of the resource. Most are as long as another one, and a search takes longer. */
static const uint8_t *resource_end(const uint8_t *from, const uint8_t *to)
{
	const uint8_t *end;
	int known;

	for (known = 0; known < LENGTHS; known++) {
		if (lengths[known] == 0 || lengths[known] >= (uint32_t)(to - from))
			continue;
		end = from + lengths[known];
		if (end[-1] == '}' && behind(BOOT, end, to))
			return end;
	}
	for (end = find_byte(from, to, '}'); end < to; end = find_byte(end, to, '}')) {
		end++;
		if (!behind(BOOT, end, to))
			continue;
		for (known = LENGTHS - 1; known > 0; known--)
			lengths[known] = lengths[known - 1];
		lengths[0] = (uint32_t)(end - from);
		return end;
	}
	return 0;
}

static const uint8_t *read_resource(struct line *line, const uint8_t *at, const uint8_t *to)
{
	const uint8_t *end = resource_end(at, to);
	struct part *part;

	if (!end)
		return 0;
	part = find_part(&resources, at, (uint32_t)(end - at), resource_facts);
	if (!part || part->facts == UNEXPECTED)
		return 0;
	if (part->file != file) {
		part->place = place_of(at, part->length);
		part->file = file;
	}
	line->resource = part->place;
	line->resource_facts = part->facts;
	return end;
}

/* Reads the attributes of a gap, up to the process. */
static const uint8_t *read_gap(const uint8_t *at, const uint8_t *to)
{
	const uint8_t *end;
	struct part *part;

	for (end = find_byte(at, to, ','); end < to; end = find_byte(end + 1, to, ','))
		if (behind(VPID, end, to))
			break;
	part = end < to ? find_part(&gaps, at, (uint32_t)(end - at), gap_facts) : 0;
	return part && part->facts != UNEXPECTED ? end : 0;
}

static const uint8_t *read_tail(struct line *line, const uint8_t *at, const uint8_t *to)
{
	struct part *part = find_part(&tails, at, (uint32_t)(to - at), tail_facts);

	if (!part || part->facts == UNEXPECTED)
		return 0;
	line->tail_facts = part->facts;
	return to;
}

/* Passes an integer behind a text; only its form counts. */
static const uint8_t *skip_integer(enum text_name name, const uint8_t *at, const uint8_t *to)
{
	int64_t value;

	at = behind(name, at, to);
	return at ? read_integer(at, &value) : 0;
}

/* Reads everything up to the resource. */
static const uint8_t *read_head(struct line *line, const uint8_t *at, const uint8_t *to)
{
	const uint8_t *next;
	int64_t pid;

	if (!(at = behind(ID, at, to)) || !(at = read_uuid(at, line->id)) ||
	    !(at = behind(TIMESTAMP, at, to)) || !(at = read_integer(at, &line->time)) ||
	    !(at = behind(PID, at, to)))
		return 0;
	line->pid_text.bytes = at;
	if (!(at = read_integer(at, &pid)))
		return 0;
	line->pid_text.length = (uint32_t)(at - line->pid_text.bytes);
	if (!(at = skip_integer(PPID, at, to)) || !(at = skip_integer(UID, at, to)) ||
	    !(at = skip_integer(GID, at, to)) || !(at = behind(COMM, at, to)) ||
	    !(at = behind(EXEC, skip_plain(at), to)) ||
	    !(at = behind(PERMITTED_BY, skip_plain(at), to)))
		return 0;
	next = behind(CAUSED, at, to);
	line->has_parent = next;
	if (!next)
		return behind(UNOBSERVED, at, to);
	at = read_uuid(next, line->parent);
	return at && *at == '"' ? at + 1 : 0;
}

/* Reads the numbers of the exec, and its gap. */
static const uint8_t *read_numbers(struct line *line, const uint8_t *at, const uint8_t *to)
{
	int64_t cpu;

	if (!(at = behind(BOOT, at, to)) || !(at = read_uuid(at, line->boot)) ||
	    !(at = behind(BOOT_TIME, at, to)))
		return 0;
	line->boot_time_text.bytes = at;
	if (!(at = read_integer(at, &line->boot_time)))
		return 0;
	line->boot_time_text.length = (uint32_t)(at - line->boot_time_text.bytes);
	if (!(at = behind(HOOK, at, to)) || !(at = read_integer(at, &line->hook)) ||
	    !(at = behind(CPU, at, to)) || !(at = read_integer(at, &cpu)) || cpu > INT32_MAX ||
	    !(at = behind(SEQ, at, to)) || !(at = read_integer(at, &line->seq)) ||
	    line->seq > SEQ_MAX)
		return 0;
	line->cpu = (int32_t)cpu;
	return line->has_parent ? at : read_gap(at, to);
}

bool read_line(struct line *line, const uint8_t *at, const uint8_t *to)
{
	if (!(at = read_head(line, at, to)) || !(at = behind(RESOURCE, at, to)) ||
	    !(at = read_resource(line, at, to)) || !(at = read_numbers(line, at, to)) ||
	    !(at = skip_integer(VPID, at, to)) || !(at = behind(CREATED, at, to)) ||
	    !(at = read_time(at, &line->created, &line->created_nanos)) ||
	    !(at = behind(TAIL, at, to)))
		return false;
	return read_tail(line, at, to);
}

/* The clock was set, and no time is so far away that a rule would treat it in another way. */
static bool has_common_times(const struct line *line)
{
	int64_t seconds = line->time / BILLION;

	return line->boot_time / BILLION < seconds && seconds < SECONDS_MAX && line->created >= 0;
}

/* An exec that is a little earlier than its process may be right, but is not ordinary. */
static bool is_created_before(const struct line *line)
{
	return line->created < SECONDS_MAX &&
	       line->created * BILLION + line->created_nanos <= line->time;
}

bool is_ordinary(const struct line *line)
{
	bool has_container = line->resource_facts & HAS_CONTAINER;
	bool has_pod = line->resource_facts & HAS_POD;
	bool has_state = line->tail_facts & HAS_METADATA_STATE;
	bool has_unit = line->tail_facts & HAS_UNIT;

	if (!(line->tail_facts & IS_SOUND) || !(line->resource_facts & HAS_HOST))
		return false;
	if (has_container ? has_unit : (line->tail_facts & HAS_ENTRY) && !has_unit)
		return false;
	if (has_state != (has_container && has_pod))
		return false;
	if (line->seq < 1 || !has_common_times(line) || !is_created_before(line))
		return false;
	return is_id_of_exec(line->id, line->boot, line->boot_time_text, line->pid_text);
}
