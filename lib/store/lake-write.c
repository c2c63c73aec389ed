/* lake-write: records into objects under temporary names.
 *
 * Lines wait in one arena, whatever the number of partitions they belong to.
 * When it is full, or the batch ends, they are sorted by partition, time and
 * key and each partition's become one object: so memory is bounded, at most one
 * object is open, and every object is a sorted run in which no key stands
 * twice. A batch of the usual size makes three objects of a busy partition.
 *
 * Keys are looked at only where two lines have the same time, since all else is
 * in order by then; ticks pay for it rarely.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "io/stream.h"
#include "rec/bar.h"
#include "store/lake.h"

enum {
	ARENA_SIZE = 24 << 20,
	ENTRIES_MAX = 256 * 1024, /* of lines far shorter than is usual */
	/* More objects than these are made durable together. */
	FEW_OBJECTS = 16,
	/* Packed frames are written when there is so much of them. */
	OUT_SIZE = 256 << 10,
	SORT_MOVES = 16, /* a line, that sorting in place may take */
};

struct entry {
	int64_t ts;
	uint32_t part; /* index in parts */
	uint32_t at;   /* in the arena; also the order of arrival */
	uint32_t len;  /* with the LF behind it */
};

struct fl_lake_batch {
	char *arena;
	size_t used;
	struct entry *entries;
	size_t count, cap;
	struct fl_lake_part *parts;
	size_t part_count, part_cap;
	struct fl_map index; /* partition → index in parts, + 1 */
	struct fl_lake_part last;
	uint32_t last_part;
	struct fl_buf text, out;
	struct fl_packer *packer;
	struct fl_json json;
};

struct fl_lake_batch *fl_lake_batch_new(void)
{
	struct fl_lake_batch *batch = fl_zalloc(sizeof(*batch));

	batch->arena = fl_alloc(ARENA_SIZE);
	batch->packer = fl_packer_new();
	return batch;
}

void fl_lake_batch_free(struct fl_lake_batch *batch)
{
	if (!batch)
		return;
	fl_packer_free(batch->packer);
	fl_map_release(&batch->index, NULL);
	fl_json_release(&batch->json);
	fl_buf_release(&batch->text);
	fl_buf_release(&batch->out);
	free(batch->parts);
	free(batch->entries);
	free(batch->arena);
	free(batch);
}

static void empty(struct fl_lake_batch *batch)
{
	batch->used = batch->count = batch->part_count = 0;
	batch->last.type = NULL;
	fl_map_clear(&batch->index, NULL);
}

/* --- the order of a run -------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;

	if (left->part != right->part)
		return left->part < right->part ? -1 : 1;
	if (left->ts != right->ts)
		return left->ts < right->ts ? -1 : 1;
	return left->at < right->at ? -1 : left->at > right->at;
}

/* Mostly there is little to do: lines stand a few places from where they
 * belong. Where it turns out to be much, the library does it. */
static void sort_by_time(struct fl_lake_batch *batch)
{
	struct entry *entries = batch->entries;
	size_t moves = SORT_MOVES * batch->count;

	for (size_t i = 1; i < batch->count; i++) {
		struct entry entry = entries[i];
		size_t at = i;

		while (at && by_time(&entries[at - 1], &entry) > 0) {
			entries[at] = entries[at - 1];
			at--;
		}
		entries[at] = entry;
		if (i - at > moves) {
			qsort(entries, batch->count, sizeof(*entries), by_time);
			return;
		}
		moves -= i - at;
	}
}

/* An entry among those of its partition that have the same time. */
struct tied {
	struct entry entry;
	char *key;
	size_t len;
};

static int by_key(const void *a, const void *b)
{
	const struct tied *left = a, *right = b;
	size_t len = left->len < right->len ? left->len : right->len;
	int order = memcmp(left->key, right->key, len);

	if (order)
		return order;
	if (left->len != right->len)
		return left->len < right->len ? -1 : 1;
	return left->entry.at < right->entry.at ? -1 : 1;
}

/* Append the key of a line that waits. */
static void put_key(struct fl_lake_batch *batch, const struct entry *entry,
		    struct fl_buf *key)
{
	struct fl_record rec = {
		.bytes = batch->arena + entry->at,
		.len = entry->len - 1,
		.input = "",
	};
	struct fl_note note;

	if (fl_record_check(&rec, &batch->json, &note) != FL_REASON_NONE)
		FL_BUG("a record is not valid in its canonical form");
	fl_lake_put_key(&rec, key);
}

/* Order entries of one time by key; of one key keep the last, or all when they
 * are parts to be merged. returns how many are left */
static size_t settle(struct fl_lake_batch *batch, struct entry *entries,
		     size_t count, bool partial)
{
	struct fl_arena arena = FL_ARENA_INIT;
	struct fl_buf key = FL_BUF_INIT;
	struct tied *tied = fl_realloc(NULL, count, sizeof(*tied));
	size_t left = 0;

	for (size_t i = 0; i < count; i++) {
		fl_buf_reset(&key);
		put_key(batch, &entries[i], &key);
		tied[i] = (struct tied){
			.entry = entries[i],
			.key = fl_arena_strndup(&arena, key.data, key.len),
			.len = key.len,
		};
	}
	qsort(tied, count, sizeof(*tied), by_key);
	for (size_t i = 0; i < count; i++) {
		if (!partial && i + 1 < count &&
		    tied[i].len == tied[i + 1].len &&
		    memcmp(tied[i].key, tied[i + 1].key, tied[i].len) == 0)
			continue;
		entries[left++] = tied[i].entry;
	}
	free(tied);
	fl_buf_release(&key);
	fl_arena_release(&arena);
	return left;
}

static void settle_ties(struct fl_lake_batch *batch)
{
	struct entry *entries = batch->entries;
	size_t left = 0;

	for (size_t i = 0, end; i < batch->count; i = end) {
		size_t kept = 1;

		for (end = i + 1; end < batch->count &&
				  entries[end].part == entries[i].part &&
				  entries[end].ts == entries[i].ts;
		     end++)
			;
		if (end > i + 1)
			kept = settle(batch, entries + i, end - i,
				      batch->parts[entries[i].part].partial);
		memmove(entries + left, entries + i, kept * sizeof(*entries));
		left += kept;
	}
	batch->count = left;
}

static int by_arrival(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;

	return left->at < right->at ? -1 : left->at > right->at;
}

/* Of types whose key does not hold the time keep the last line of each key, in
 * whatever partition it stands. */
static void settle_floating(struct fl_lake_batch *batch)
{
	struct fl_map latest = FL_MAP_INIT;
	struct fl_buf key = FL_BUF_INIT;
	size_t left = 0, floating = 0;

	for (size_t i = 0; i < batch->part_count; i++)
		floating += fl_lake_shape(batch->parts[i].type)->floating;
	if (!floating)
		return;
	qsort(batch->entries, batch->count, sizeof(*batch->entries),
	      by_arrival);
	for (size_t i = batch->count; i-- > 0;) {
		struct entry *entry = &batch->entries[i];
		const struct fl_type *type = batch->parts[entry->part].type;
		void **slot;

		if (!fl_lake_shape(type)->floating)
			continue;
		fl_buf_reset(&key);
		fl_buf_puts(&key, type->name);
		fl_buf_putc(&key, '\0');
		put_key(batch, entry, &key);
		slot = fl_map_at(&latest, key.data, key.len);
		if (*slot)
			entry->len = 0;
		*slot = batch;
	}
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->entries[i].len)
			batch->entries[left++] = batch->entries[i];
	}
	batch->count = left;
	fl_map_release(&latest, NULL);
	fl_buf_release(&key);
}

/* --- an object ----------------------------------------------------------- */

/* The next lines of a run as one frame's content. returns how many */
static size_t gather(struct fl_lake_batch *batch, const struct entry *entries,
		     size_t count)
{
	size_t i = 0;

	fl_buf_reset(&batch->text);
	while (i < count &&
	       (i == 0 || batch->text.len + entries[i].len <= FL_LAKE_FRAME)) {
		fl_buf_append(&batch->text, batch->arena + entries[i].at,
			      entries[i].len);
		i++;
	}
	return i;
}

static struct fl_hash128 hash_run(struct fl_lake_batch *batch,
				  const struct entry *entries, size_t count)
{
	struct fl_hash128 hash = { 0, 0 };

	for (size_t i = 0; i < count;) {
		i += gather(batch, entries + i, count - i);
		hash = fl_hash128(batch->text.data, batch->text.len,
				  hash.lo ^ hash.hi);
	}
	return hash;
}

static int write_frames(struct fl_lake *lake, struct fl_object_out *to,
			const struct entry *entries, size_t count,
			struct fl_error *err)
{
	struct fl_lake_batch *batch = lake->batch;
	int result = 0;

	fl_buf_reset(&batch->out);
	for (size_t i = 0; i < count && result == 0;) {
		i += gather(batch, entries + i, count - i);
		result = fl_packer_add(batch->packer, batch->text.data,
				       batch->text.len, &batch->out, err);
		if (result == 0 && (i == count || batch->out.len >= OUT_SIZE)) {
			result = fl_objects_write(&lake->objects, to,
						  batch->out.data,
						  batch->out.len, err);
			fl_buf_reset(&batch->out);
		}
	}
	return result;
}

/* What a partition holds already. */
struct present {
	const struct fl_hash128 *content;
	int64_t newest; /* stamp */
	char *same;     /* the newest object with that content */
	int64_t same_stamp;
};

static int look_at(void *arg, const char *text)
{
	struct present *present = arg;
	struct fl_lake_name name;

	if (!fl_lake_read_name(text, &name))
		return 0;
	if (name.stamp > present->newest)
		present->newest = name.stamp;
	if (name.content.lo == present->content->lo &&
	    name.content.hi == present->content->hi &&
	    name.stamp > present->same_stamp) {
		free(present->same);
		present->same = fl_strdup(text);
		present->same_stamp = name.stamp;
	}
	return 0;
}

static struct fl_lake_object *add_object(struct fl_lake *lake)
{
	if (lake->count == lake->cap) {
		lake->cap = lake->cap ? 2 * lake->cap : 16;
		lake->prepared = fl_realloc(lake->prepared, lake->cap,
					    sizeof(*lake->prepared));
	}
	memset(&lake->prepared[lake->count], 0, sizeof(*lake->prepared));
	return &lake->prepared[lake->count++];
}

/* Is the object of old one that this batch renames already? */
static bool is_taken(const struct fl_lake *lake, const char *from)
{
	for (size_t i = 0; i < lake->count; i++) {
		if (lake->prepared[i].from &&
		    strcmp(lake->prepared[i].from, from) == 0)
			return true;
	}
	return false;
}

/* One partition's entries. */
static int write_object(struct fl_lake *lake, const struct fl_lake_part *part,
			const struct entry *entries, size_t count, bool few,
			struct fl_error *err)
{
	struct fl_lake_object *object = add_object(lake);
	struct fl_buf dir = FL_BUF_INIT;
	struct present present = { .content = &object->content };
	char *same = NULL;
	struct fl_object_out *to = NULL;
	int result;

	object->part = *part;
	object->spill = lake->spills;
	object->content = hash_run(lake->batch, entries, count);
	fl_lake_put_part(&dir, part);
	result = fl_objects_list(&lake->objects, dir.data, look_at, &present,
				 err);
	object->newest = present.newest;
	if (present.same)
		same = fl_sprintf("%s/%s", dir.data, present.same);
	/* Equal parts of bars are parts all the same: they add up. */
	if (result == 0 && same && !part->partial && !is_taken(lake, same)) {
		object->from = same;
		same = NULL;
	} else if (result == 0) {
		object->from = fl_lake_draft(lake, err);
		object->is_draft = true;
		result = !object->from
				 ? -1
				 : fl_objects_create(&lake->objects,
						     object->from, &to, err);
		if (result == 0)
			result = write_frames(lake, to, entries, count, err);
		if (fl_objects_seal(&lake->objects, &to, result == 0, few,
				    err) < 0)
			result = -1;
	}
	free(present.same);
	free(same);
	fl_buf_release(&dir);
	return result;
}

/* All that waits becomes objects. */
static int spill(struct fl_lake *lake, struct fl_error *err)
{
	struct fl_lake_batch *batch = lake->batch;
	bool few = batch->part_count <= FEW_OBJECTS;
	int result = 0;

	settle_floating(batch);
	sort_by_time(batch);
	settle_ties(batch);
	for (size_t i = 0, end; i < batch->count && result == 0; i = end) {
		uint32_t part = batch->entries[i].part;

		for (end = i + 1;
		     end < batch->count && batch->entries[end].part == part;
		     end++)
			;
		result = write_object(lake, &batch->parts[part],
				      batch->entries + i, end - i, few, err);
	}
	lake->spills++;
	empty(batch);
	return result;
}

int fl_lake_prepare(struct fl_lake *lake, struct fl_error *err)
{
	if (lake->batch && lake->batch->count && spill(lake, err) < 0)
		return -1;
	return fl_objects_settle(&lake->objects, lake->drafts, err);
}

void fl_lake_discard(struct fl_lake *lake)
{
	for (size_t i = 0; i < lake->count; i++) {
		if (lake->prepared[i].is_draft && lake->prepared[i].from)
			fl_objects_remove(&lake->objects,
					  lake->prepared[i].from);
		free(lake->prepared[i].from);
		free(lake->prepared[i].to);
	}
	lake->count = 0;
	lake->spills = 0;
	if (lake->batch)
		empty(lake->batch);
}

/* --- records ------------------------------------------------------------- */

static uint32_t part_of(struct fl_lake_batch *batch,
			const struct fl_lake_part *part)
{
	char key[16] = { 0 };
	void **slot;

	if (batch->last.type == part->type && batch->last.day == part->day &&
	    batch->last.partial == part->partial)
		return batch->last_part;
	key[0] = (char)part->type->id;
	key[1] = (char)part->partial;
	memcpy(key + 8, &part->day, sizeof(part->day));
	slot = fl_map_at(&batch->index, key, sizeof(key));
	if (!*slot) {
		if (batch->part_count == batch->part_cap) {
			batch->part_cap =
				batch->part_cap ? 2 * batch->part_cap : 16;
			batch->parts = fl_realloc(batch->parts, batch->part_cap,
						  sizeof(*batch->parts));
		}
		batch->parts[batch->part_count++] = *part;
		*slot = (void *)(uintptr_t)batch->part_count;
	}
	batch->last = *part;
	batch->last_part = (uint32_t)(uintptr_t)*slot - 1;
	return batch->last_part;
}

int fl_lake_put(struct fl_lake *lake, const struct fl_record *rec,
		struct fl_error *err)
{
	struct fl_lake_batch *batch = lake->batch;
	struct fl_lake_part part = { .type = rec->type };
	const char *bytes = rec->bytes;
	size_t len = rec->len;
	struct entry *entry;

	if (!batch)
		batch = lake->batch = fl_lake_batch_new();
	if (!fl_record_is_canonical(rec)) {
		fl_buf_reset(&batch->text);
		fl_record_canonical(rec, &batch->text);
		bytes = batch->text.data;
		len = batch->text.len;
	}
	if (len > FL_LINE_MAX) /* numbers with exponents got longer */
		return 1;
	if (batch->count == batch->cap && batch->cap < ENTRIES_MAX) {
		batch->cap = batch->cap ? 2 * batch->cap : 1024;
		batch->entries = fl_realloc(batch->entries, batch->cap,
					    sizeof(*batch->entries));
	}
	if ((batch->count == batch->cap ||
	     batch->used + len + 1 > ARENA_SIZE)) {
		struct fl_buf own = batch->text;

		/* The spill needs the buffer that the record may stand in. */
		memset(&batch->text, 0, sizeof(batch->text));
		if (spill(lake, err) < 0) {
			fl_buf_release(&own);
			return -1;
		}
		fl_buf_release(&batch->text);
		batch->text = own;
	}
	part.partial = fl_bar_is_partial(rec);
	part.day = rec->ts_ns / FL_DAY - (rec->ts_ns % FL_DAY < 0);
	entry = &batch->entries[batch->count++];
	*entry = (struct entry){
		.ts = rec->ts_ns,
		.part = part_of(batch, &part),
		.at = (uint32_t)batch->used,
		.len = (uint32_t)len + 1,
	};
	memcpy(batch->arena + batch->used, bytes, len);
	batch->arena[batch->used + len] = '\n';
	batch->used += len + 1;
	return 0;
}
