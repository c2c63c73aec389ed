/* lake-slice: see lake-slice.h.
 *
 * A key begins with its series, so rows that are sorted by series and, within
 * one, stand as they came, are in the order of (ts, key) again when they are
 * sorted by time alone, by a sort that leaves equals in their order.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/lake-slice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "store/lake-read.h"

enum {
	SLICE = 16 << 20,  /* bytes of rows, but for a longer single one */
	FRAME = 256 << 10, /* what one symbol costs at least */
	DIGITS = 16,       /* of the hash of a note */
	RADIX_BITS = 11,
	RADIX = 1 << RADIX_BITS,
};

/* --- writing ---------------------------------------------------------------
 */

struct row {
	uint32_t at, len; /* in text; with the LF */
	uint32_t series;
};

struct series {
	const char *symbol; /* NULL: has none */
	uint32_t rank;
};

struct fl_lake_slicer {
	struct fl_buf text, key, note, frame, packed;
	struct row *rows;
	size_t count, cap;
	struct fl_map index; /* series → index + 1 */
	struct series *series;
	size_t series_cap;
	struct fl_arena arena; /* holds symbols */
	struct fl_packer *packer;
	int64_t from, to;
	bool symbols;
};

struct fl_lake_slicer *fl_lake_slicer_new(void)
{
	struct fl_lake_slicer *slicer = fl_zalloc(sizeof(*slicer));

	slicer->packer = fl_packer_new();
	return slicer;
}

static void begin_next(struct fl_lake_slicer *slicer)
{
	slicer->count = 0;
	fl_buf_reset(&slicer->text);
	fl_map_clear(&slicer->index, NULL);
	fl_arena_release(&slicer->arena);
}

void fl_lake_slicer_free(struct fl_lake_slicer *slicer)
{
	if (!slicer)
		return;
	begin_next(slicer);
	fl_map_release(&slicer->index, NULL);
	fl_packer_free(slicer->packer);
	fl_buf_release(&slicer->text);
	fl_buf_release(&slicer->key);
	fl_buf_release(&slicer->note);
	fl_buf_release(&slicer->frame);
	fl_buf_release(&slicer->packed);
	free(slicer->rows);
	free(slicer->series);
	free(slicer);
}

bool fl_lake_slicer_fits(const struct fl_lake_slicer *slicer, size_t len)
{
	return !slicer->count || slicer->text.len + len + 1 <= SLICE;
}

static uint32_t series_of(struct fl_lake_slicer *slicer,
			  const struct fl_record *rec)
{
	const struct fl_lake_shape *shape = fl_lake_shape(rec->type);
	const struct fl_json_tok *tok;
	struct series *series;
	void **slot;
	size_t i;

	fl_buf_reset(&slicer->key);
	fl_lake_put_series(rec, &slicer->key);
	slot = fl_map_at(&slicer->index, fl_buf_text(&slicer->key),
			 slicer->key.len);
	if (*slot)
		return (uint32_t)(uintptr_t)*slot - 1;
	i = slicer->index.count - 1;
	*slot = (void *)(uintptr_t)(i + 1);
	if (i == slicer->series_cap) {
		slicer->series_cap = i ? 2 * i : 64;
		slicer->series = fl_realloc(slicer->series, slicer->series_cap,
					    sizeof(*slicer->series));
	}
	series = &slicer->series[i];
	series->symbol = NULL;
	if (shape->symbol >= 0 && rec->at[shape->symbol]) {
		tok = &rec->json->toks[rec->at[shape->symbol]];
		series->symbol =
			fl_arena_strndup(&slicer->arena, tok->text, tok->len);
	}
	return (uint32_t)i;
}

void fl_lake_slicer_add(struct fl_lake_slicer *slicer,
			const struct fl_record *rec)
{
	struct row *row;

	if (slicer->count == slicer->cap) {
		slicer->cap = slicer->cap ? 2 * slicer->cap : 1024;
		slicer->rows = fl_realloc(slicer->rows, slicer->cap,
					  sizeof(*slicer->rows));
	}
	if (!slicer->count)
		slicer->from = rec->ts_ns;
	slicer->to = rec->ts_ns;
	slicer->symbols = fl_lake_shape(rec->type)->symbol >= 0;
	row = &slicer->rows[slicer->count++];
	*row = (struct row){
		.at = (uint32_t)slicer->text.len,
		.len = (uint32_t)rec->len + 1,
		.series = series_of(slicer, rec),
	};
	fl_buf_append(&slicer->text, rec->bytes, rec->len);
	fl_buf_putc(&slicer->text, '\n');
}

static int by_series(const void *a, const void *b)
{
	const struct fl_map_entry *left = a, *right = b;
	size_t len = left->len < right->len ? left->len : right->len;
	int order = memcmp(left->key, right->key, len);

	return order ? order : left->len < right->len ? -1 : 1;
}

/* The rows by series, in the order in which they came: how many are before
 * those of each rank tells where one goes. */
static struct row *sort_rows(struct fl_lake_slicer *slicer)
{
	struct row *sorted = fl_realloc(NULL, slicer->count, sizeof(*sorted));
	size_t count = slicer->index.count, before = 0;
	size_t *starts = fl_zalloc(count * sizeof(*starts));

	/* The map is emptied next, so its entries may be moved. */
	qsort(slicer->index.entries, count, sizeof(*slicer->index.entries),
	      by_series);
	for (size_t i = 0; i < count; i++) {
		size_t at = (uintptr_t)slicer->index.entries[i].value - 1;

		slicer->series[at].rank = (uint32_t)i;
	}
	for (size_t i = 0; i < slicer->count; i++)
		starts[slicer->series[slicer->rows[i].series].rank]++;
	for (size_t i = 0; i < count; i++) {
		size_t rows = starts[i];

		starts[i] = before;
		before += rows;
	}
	for (size_t i = 0; i < slicer->count; i++) {
		const struct row *row = &slicer->rows[i];

		sorted[starts[slicer->series[row->series].rank]++] = *row;
	}
	free(starts);
	return sorted;
}

/* What the note says of a frame of rows[count]. */
static void note_frame(struct fl_lake_slicer *slicer, const struct row *rows,
		       size_t count, size_t size)
{
	const char *first = NULL, *last = NULL;
	bool all = slicer->symbols;

	for (size_t i = 0; i < count && all; i++) {
		const char *symbol = slicer->series[rows[i].series].symbol;

		if (i && rows[i].series == rows[i - 1].series)
			continue;
		all = symbol != NULL;
		if (all && (!first || strcmp(symbol, first) < 0))
			first = symbol;
		if (all && (!last || strcmp(symbol, last) > 0))
			last = symbol;
	}
	fl_buf_printf(&slicer->note, "{\"size\":%zu,\"rows\":%zu", size, count);
	if (all && first) {
		fl_buf_puts(&slicer->note, ",\"symbols\":[");
		fl_buf_json_string(&slicer->note, first, strlen(first));
		fl_buf_putc(&slicer->note, ',');
		fl_buf_json_string(&slicer->note, last, strlen(last));
		fl_buf_putc(&slicer->note, ']');
	}
	fl_buf_putc(&slicer->note, '}');
}

/* The next of rows[count] as one frame's content. returns how many */
static size_t gather(struct fl_lake_slicer *slicer, const struct row *rows,
		     size_t count)
{
	size_t i = 0;

	fl_buf_reset(&slicer->frame);
	while (i < count &&
	       (i == 0 || slicer->frame.len + rows[i].len <= FRAME)) {
		fl_buf_append(&slicer->frame, slicer->text.data + rows[i].at,
			      rows[i].len);
		i++;
	}
	return i;
}

static int pack_frames(struct fl_lake_slicer *slicer, const struct row *rows,
		       struct fl_hash128 *content, struct fl_error *err)
{
	for (size_t i = 0, taken; i < slicer->count; i += taken) {
		size_t size = slicer->packed.len;

		taken = gather(slicer, rows + i, slicer->count - i);
		*content = fl_hash128(slicer->frame.data, slicer->frame.len,
				      content->lo ^ content->hi);
		if (fl_packer_add(slicer->packer, slicer->frame.data,
				  slicer->frame.len, &slicer->packed, err) < 0)
			return -1;
		if (i)
			fl_buf_puts(&slicer->note, ",\n");
		note_frame(slicer, rows + i, taken, slicer->packed.len - size);
	}
	return 0;
}

int fl_lake_slicer_pack(struct fl_lake_slicer *slicer, struct fl_buf *out,
			struct fl_hash128 *content, struct fl_error *err)
{
	char from[FL_TIME_TEXT], to[FL_TIME_TEXT], digits[DIGITS + 2];
	struct row *rows;
	int result;

	if (!slicer->count)
		return 0;
	rows = sort_rows(slicer);
	fl_time_print(slicer->from, from);
	fl_time_print(slicer->to, to);
	fl_buf_reset(&slicer->packed);
	fl_buf_reset(&slicer->note);
	fl_buf_printf(&slicer->note, "%*s", DIGITS + 1, "");
	fl_buf_printf(&slicer->note,
		      "{\"from\":\"%s\",\"to\":\"%s\",\"frames\":[\n", from,
		      to);
	result = pack_frames(slicer, rows, content, err);
	free(rows);
	if (result < 0)
		return -1;
	fl_buf_puts(&slicer->note, "]}\n");
	snprintf(
		digits, sizeof(digits), "%016llx ",
		(unsigned long long)fl_hash64(slicer->note.data + DIGITS + 1,
					      slicer->note.len - (DIGITS + 1)));
	memcpy(slicer->note.data, digits, DIGITS + 1);
	fl_packer_note(slicer->note.data, slicer->note.len, out);
	fl_buf_append(out, slicer->packed.data, slicer->packed.len);
	begin_next(slicer);
	return 0;
}

/* --- the note --------------------------------------------------------------
 */

static bool is_whole(const char *text, size_t len)
{
	char digits[DIGITS + 2];

	if (len < DIGITS + 1)
		return false;
	snprintf(digits, sizeof(digits), "%016llx ",
		 (unsigned long long)fl_hash64(text + DIGITS + 1,
					       len - (DIGITS + 1)));
	return memcmp(text, digits, DIGITS + 1) == 0;
}

/* A member of the object at `at`, when it is of that kind. */
static const struct fl_json_tok *member(const struct fl_json *json, uint32_t at,
					const char *key, enum fl_json_kind kind)
{
	uint32_t found = fl_json_find(json, at, key, strlen(key));

	return found && json->toks[found].kind == kind ? &json->toks[found]
						       : NULL;
}

static bool time_of(const struct fl_json *json, const char *key, int64_t *ns)
{
	const struct fl_json_tok *tok = member(json, 0, key, FL_JSON_STRING);

	return tok && fl_time_parse(tok->text, tok->len, ns) == FL_TIME_OK;
}

/* As strcmp() does. */
static int compare(const struct fl_json_tok *tok, const char *text)
{
	size_t len = strlen(text), least = tok->len < len ? tok->len : len;
	int order = memcmp(tok->text, text, least);

	return order ? order : tok->len < len ? -1 : tok->len > len;
}

/* May the frame hold rows of one of these symbols? */
static bool has_symbol(const struct fl_json *json, uint32_t frame,
		       const char *const *symbols)
{
	const struct fl_json_tok *pair =
		member(json, frame, "symbols", FL_JSON_ARRAY);

	if (!pair || pair->len != 2 || pair[1].kind != FL_JSON_STRING ||
	    pair[2].kind != FL_JSON_STRING)
		return true;
	for (; *symbols; symbols++) {
		if (compare(&pair[1], *symbols) <= 0 &&
		    compare(&pair[2], *symbols) >= 0)
			return true;
	}
	return false;
}

static bool add_frame(struct fl_lake_slice *slice, uint32_t at,
		      const char *const *symbols)
{
	const struct fl_json_tok *tok =
		member(&slice->json, at, "size", FL_JSON_NUMBER);
	char digits[24], *end;
	struct fl_lake_frame *frame;

	if (!tok || tok->len > 20)
		return false;
	if (slice->frame_count == slice->frame_cap) {
		slice->frame_cap = slice->frame_cap ? 2 * slice->frame_cap : 64;
		slice->frames = fl_realloc(slice->frames, slice->frame_cap,
					   sizeof(*slice->frames));
	}
	snprintf(digits, sizeof(digits), "%.*s", (int)tok->len, tok->text);
	frame = &slice->frames[slice->frame_count++];
	frame->at = slice->end;
	frame->size = strtoull(digits, &end, 10);
	frame->wanted = !symbols || has_symbol(&slice->json, at, symbols);
	slice->end += frame->size;
	return !*end && frame->size <= UINT32_MAX;
}

/* Is the symbol part of the key? Else a row of another one may be what holds.
 */
static bool keyed_by_symbol(const struct fl_lake_shape *shape)
{
	for (size_t i = 0; i < shape->key_count; i++) {
		if (shape->symbol >= 0 && shape->key[i] == shape->symbol)
			return true;
	}
	return false;
}

static bool read_frames(struct fl_lake_slice *slice, const struct fl_type *type,
			const struct fl_query *query)
{
	const struct fl_json *json = &slice->json;
	const char *const *symbols =
		query && keyed_by_symbol(fl_lake_shape(type)) ? query->symbols
							      : NULL;
	uint32_t list = fl_json_find(json, 0, "frames", 6);
	int64_t from, to;
	bool in_time;

	if (!list || json->toks[list].kind != FL_JSON_ARRAY ||
	    !time_of(json, "from", &from) || !time_of(json, "to", &to))
		return false;
	if (symbols && !*symbols)
		symbols = NULL;
	in_time = !query || fl_lake_spans(query, type, from,
					  to < INT64_MAX ? to + 1 : to);
	for (uint32_t at = list + 1; at < json->toks[list].next;
	     at = json->toks[at].next) {
		if (json->toks[at].kind != FL_JSON_OBJECT ||
		    !add_frame(slice, at, symbols))
			return false;
		if (!in_time)
			slice->frames[slice->frame_count - 1].wanted = false;
	}
	return true;
}

bool fl_lake_slice_note(struct fl_lake_slice *slice, const char *text,
			size_t len, uint64_t at, const struct fl_type *type,
			const struct fl_query *query)
{
	struct fl_note note;

	/* Of types whose key holds no time any row may decide. */
	if (fl_lake_shape(type)->floating)
		query = NULL;
	slice->frame = slice->frame_count = 0;
	slice->end = at;
	slice->sure = true;
	slice->picked = false;
	if (is_whole(text, len) &&
	    fl_json_parse(&slice->json, text + DIGITS + 1, len - (DIGITS + 1),
			  &note) == FL_REASON_NONE &&
	    slice->json.toks[0].kind == FL_JSON_OBJECT &&
	    read_frames(slice, type, query))
		return true;
	slice->frame_count = 0;
	return false;
}

bool fl_lake_slice_seek(struct fl_lake_slice *slice, struct fl_frames *frames)
{
	size_t i = slice->frame;
	uint64_t bytes = 0;

	while (i < slice->frame_count && !slice->frames[i].wanted) {
		slice->sure = false;
		slice->picked = true;
		i++;
	}
	slice->frame = i + 1;
	if (i == slice->frame_count) {
		if (!slice->sure || slice->picked)
			fl_frames_seek(frames, slice->end, FL_LAKE_NOTE_GUESS);
		slice->frame_count = slice->frame = 0;
		return false;
	}
	if (slice->sure)
		return true;
	for (size_t end = i;
	     end < slice->frame_count && slice->frames[end].wanted; end++)
		bytes += slice->frames[end].size;
	fl_frames_seek(frames, slice->frames[i].at, bytes);
	slice->sure = true;
	return true;
}

/* --- lines -----------------------------------------------------------------
 */

void fl_lake_slice_add(struct fl_lake_slice *slice, int64_t ts, size_t at,
		       size_t len)
{
	if (slice->count == slice->cap) {
		slice->cap = slice->cap ? 2 * slice->cap : 1024;
		slice->lines = fl_realloc(slice->lines, slice->cap,
					  sizeof(*slice->lines));
	}
	slice->lines[slice->count++] =
		(struct fl_lake_line){ ts, (uint32_t)at, (uint32_t)len };
}

/* One pass by RADIX_BITS of the time since `least`. */
static void pass(struct fl_lake_slice *slice, int64_t least, unsigned shift)
{
	size_t starts[RADIX] = { 0 }, before = 0;
	struct fl_lake_line *from = slice->lines, *to = slice->scratch;

	for (size_t i = 0; i < slice->count; i++)
		starts[((uint64_t)from[i].ts - (uint64_t)least) >> shift &
		       (RADIX - 1)]++;
	for (size_t i = 0; i < RADIX; i++) {
		size_t count = starts[i];

		starts[i] = before;
		before += count;
	}
	for (size_t i = 0; i < slice->count; i++)
		to[starts[((uint64_t)from[i].ts - (uint64_t)least) >> shift &
			  (RADIX - 1)]++] = from[i];
	slice->lines = to;
	slice->scratch = from;
}

void fl_lake_slice_sort(struct fl_lake_slice *slice)
{
	struct fl_lake_line *lines = slice->lines;
	int64_t least = INT64_MAX, most = INT64_MIN;
	uint64_t span;
	bool sorted = true;
	size_t cap;

	for (size_t i = 0; i < slice->count; i++) {
		sorted = sorted && (!i || lines[i - 1].ts <= lines[i].ts);
		if (lines[i].ts < least)
			least = lines[i].ts;
		if (lines[i].ts > most)
			most = lines[i].ts;
	}
	if (sorted)
		return;
	if (slice->scratch_cap < slice->cap) {
		free(slice->scratch);
		slice->scratch_cap = slice->cap;
		slice->scratch =
			fl_realloc(NULL, slice->cap, sizeof(*slice->scratch));
	}
	span = (uint64_t)most - (uint64_t)least;
	for (unsigned shift = 0; shift < 64 && span >> shift;
	     shift += RADIX_BITS) {
		pass(slice, least, shift);
		cap = slice->cap;
		slice->cap = slice->scratch_cap;
		slice->scratch_cap = cap;
	}
}

void fl_lake_slice_empty(struct fl_lake_slice *slice)
{
	slice->count = slice->given = 0;
}

void fl_lake_slice_release(struct fl_lake_slice *slice)
{
	free(slice->lines);
	free(slice->scratch);
	free(slice->frames);
	fl_json_release(&slice->json);
	memset(slice, 0, sizeof(*slice));
}
