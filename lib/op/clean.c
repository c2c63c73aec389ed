/* clean: workers judge the lines of a block each by itself; the consumer, who
 * sees all blocks in order, finds duplicates and writes.
 *
 * Runs of lines that pass unchanged are written from the block itself.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/clean.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/time.h"
#include "op/dedup.h"
#include "op/expr.h"
#include "op/lines.h"
#include "rec/mark.h"
#include "rec/record.h"

enum {
	NEAR = 8, /* records for which deduplication reads ahead */
	FAR = 16,
	ITEM_FILTERED = 1, /* the selection or the expression dropped it */
	ITEM_EDITED = 2,   /* its text is in the edits */
	ITEM_ROUNDED = 4,
};

/* One line that is a record. */
struct item {
	struct fl_line line;
	uint32_t flags;
	uint32_t edit_from, edit_len; /* in the items' text, with an LF */
	int64_t ts;
	uint64_t series;
	struct fl_hash128 content;
};

/* What one thread needs to judge a line, beside struct fl_judge. */
struct scratch {
	struct fl_expr *expr;
	struct fl_buf mapped; /* the expression's result */
	struct fl_buf retried;
	struct fl_json retry_json;
};

/* The lines that pass unchanged and follow each other. */
struct pending {
	const char *from;
	size_t len;
	uint64_t count;
};

struct fl_clean {
	struct fl_clean_config config;
	struct fl_lines_work work;
	struct fl_lines *lines;
	struct fl_dedup *dedup;
	struct scratch *scratches; /* one for each judge */
	unsigned count;
	struct pending pending;
};

enum verdict {
	VERDICT_RECORD,
	VERDICT_FILTERED,
	VERDICT_REJECT,
};

static unsigned base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0') + 52;
	return c == '+' ? 62 : c == '/' ? 63 : 64;
}

static void decode_base64(const char *text, size_t len, struct fl_buf *out)
{
	uint32_t bits = 0;
	unsigned count = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned digit = base64_digit(text[i]);

		if (digit > 63)
			continue;
		bits = bits << 6 | digit;
		if (++count % 4 != 1)
			fl_buf_putc(out, (char)(bits >>
						(6 - 2 * ((count - 1) % 4))));
	}
}

/* --retry: put a reject's own line in place of the reject. Anything else stays
 * as it is. false: the line was cut when it was kept. */
static bool take_up_again(struct scratch *scratch, const char **bytes,
			  size_t *len, struct fl_note *note)
{
	struct fl_json *json = &scratch->retry_json;
	const struct fl_json_tok *toks;
	struct fl_note ignored;
	uint32_t type, at;

	if (fl_json_parse(json, *bytes, *len, &ignored) != FL_REASON_NONE)
		return true;
	toks = json->toks;
	type = fl_json_find(json, 0, "type", 4);
	if (!type || !fl_json_is(&toks[type], "reject", 6))
		return true;
	at = fl_json_find(json, 0, "truncated", 9);
	if (at && toks[at].kind == FL_JSON_TRUE) {
		fl_note_set(note, "raw",
			    "the kept line was cut at 64 KiB: it cannot be "
			    "taken up again");
		return false;
	}
	fl_buf_reset(&scratch->retried);
	if ((at = fl_json_find(json, 0, "raw", 3)) &&
	    toks[at].kind == FL_JSON_STRING)
		fl_buf_append(&scratch->retried, toks[at].text, toks[at].len);
	else if ((at = fl_json_find(json, 0, "raw_b64", 7)) &&
		 toks[at].kind == FL_JSON_STRING)
		decode_base64(toks[at].text, toks[at].len, &scratch->retried);
	else
		return true;
	*bytes = fl_buf_text(&scratch->retried);
	*len = scratch->retried.len;
	return true;
}

/* Judge one line. A record is left in `rec`, whose text may be the line's own,
 * the expression's or the retried one. */
static enum verdict judge_line(const struct fl_clean *clean,
			       struct fl_judge *judge, const char *bytes,
			       size_t len, enum fl_reason *reason,
			       struct fl_note *note)
{
	const struct fl_clean_config *config = &clean->config;
	struct scratch *scratch = &clean->scratches[judge->who];
	struct fl_record *rec = &judge->rec;

	note->field[0] = note->detail[0] = '\0';
	if (config->retry && !take_up_again(scratch, &bytes, &len, note)) {
		*reason = FL_REASON_truncated;
		return VERDICT_REJECT;
	}
	if (scratch->expr) {
		fl_buf_reset(&scratch->mapped);
		switch (fl_expr_apply(scratch->expr, bytes, len,
				      &scratch->mapped, note)) {
		case FL_EXPR_SAME:
			break;
		case FL_EXPR_CHANGED:
			bytes = fl_buf_text(&scratch->mapped);
			len = scratch->mapped.len;
			break;
		case FL_EXPR_NOTHING:
			return VERDICT_FILTERED;
		case FL_EXPR_FAILED:
			*reason = FL_REASON_expr_error;
			return VERDICT_REJECT;
		}
	}
	rec->bytes = bytes;
	rec->len = len;
	*reason = (config->coerce ? fl_record_check_coerce
				  : fl_record_check)(rec, &judge->json, note);
	if (*reason != FL_REASON_NONE)
		return VERDICT_REJECT;
	return fl_select_wants(&config->select, rec) ? VERDICT_RECORD
						     : VERDICT_FILTERED;
}

/* The text that goes out, where it is not the line itself. */
static void edit_item(const struct fl_clean *clean, struct fl_buf *edits,
		      struct item *item, const struct fl_record *rec,
		      const char *line)
{
	const unsigned mended = FL_FIX_TIME | FL_FIX_SYMBOL | FL_FIX_ROUND |
				FL_FIX_SUBUNIT | FL_FIX_INTERVAL |
				FL_FIX_COERCE;

	if (rec->fixes & FL_FIX_ROUND)
		item->flags |= ITEM_ROUNDED;
	if (!clean->config.canonical && !(rec->fixes & mended) &&
	    rec->bytes == line)
		return;
	item->flags |= ITEM_EDITED;
	item->edit_from = (uint32_t)edits->len;
	if (clean->config.canonical)
		fl_record_canonical(rec, edits);
	else
		fl_record_normalise(rec, edits);
	/* What was kept as one text may have been several lines: outside of
	 * strings, where neither may stand, they are blanks. */
	for (size_t i = item->edit_from; clean->config.retry && i < edits->len;
	     i++) {
		if (edits->data[i] == '\n' || edits->data[i] == '\r')
			edits->data[i] = ' ';
	}
	fl_buf_putc(edits, '\n');
	item->edit_len = (uint32_t)edits->len - item->edit_from;
}

static bool judge_item(void *arg, struct fl_judge *judge,
		       struct fl_items *items, const char *bytes, size_t len,
		       void *room)
{
	const struct fl_clean *clean = arg;
	struct item *item = room;
	enum fl_reason reason;
	enum verdict verdict =
		judge_line(clean, judge, bytes, len, &reason, &judge->note);

	if (verdict == VERDICT_REJECT)
		return false;
	item->flags = 0;
	item->content = (struct fl_hash128){ 0, 0 };
	if (verdict == VERDICT_FILTERED) {
		item->flags = ITEM_FILTERED;
		return true;
	}
	item->ts = judge->rec.ts_ns;
	edit_item(clean, &items->text, item, &judge->rec, bytes);
	if (clean->dedup)
		item->content =
			fl_record_content(&judge->rec, true, &item->series);
	return true;
}

static int write_pending(void *arg, struct fl_error *err)
{
	struct fl_clean *clean = arg;
	struct pending *pending = &clean->pending;
	int result = 0;

	if (pending->count)
		result = fl_writer_lines(clean->config.out, pending->from,
					 pending->len, pending->count, err);
	pending->count = 0;
	pending->len = 0;
	return result;
}

static int write_item(struct fl_clean *clean, const struct fl_block *block,
		      const struct fl_items *items, const struct item *item,
		      struct fl_error *err)
{
	struct pending *pending = &clean->pending;
	const char *text = block->data + item->line.from;
	struct fl_writer *out = clean->config.out;
	size_t len = item->line.len;
	bool whole; /* its LF follows at once */

	if (item->flags & ITEM_EDITED) {
		text = items->text.data + item->edit_from;
		len = item->edit_len - 1;
	}
	if (!fl_writer_is_plain(out))
		return fl_writer_text(out, text, len, err);
	whole = (item->flags & ITEM_EDITED) ||
		(item->line.from + len < block->len &&
		 block->data[item->line.from + len] == '\n');
	if (!whole) { /* a CR before the LF, or the torn last line */
		if (write_pending(clean, err) < 0)
			return -1;
		return fl_writer_text(out, text, len, err);
	}
	if (pending->count && pending->from + pending->len == text) {
		pending->len += len + 1;
		pending->count++;
		return 0;
	}
	if (write_pending(clean, err) < 0)
		return -1;
	pending->from = text;
	pending->len = len + 1;
	pending->count = 1;
	return 0;
}

/* Count one record, and write it unless it is a duplicate or warm-up. */
static int take_item(void *arg, const struct fl_block *block,
		     const struct fl_items *items, uint32_t i,
		     struct fl_error *err)
{
	struct fl_clean *clean = arg;
	const struct item *item =
		(const struct item *)(const void *)items->items + i;
	struct fl_counts *counts = &clean->config.io->counts;
	bool warm = clean->config.io->warm;
	enum fl_seen seen = FL_SEEN_NEW;

	if (clean->dedup && i + FAR < items->count) {
		fl_dedup_far(clean->dedup, item[FAR].content);
		fl_dedup_near(clean->dedup, item[NEAR].content);
	}
	counts->in += !warm;
	if (item->flags & ITEM_FILTERED) {
		counts->filtered += !warm;
		return 0;
	}
	if (clean->config.event_ns && item->ts > *clean->config.event_ns)
		*clean->config.event_ns = item->ts;
	if (clean->dedup)
		seen = fl_dedup_see(clean->dedup, item->series, item->content,
				    item->ts);
	if (warm)
		return 0;
	if (seen == FL_SEEN_BEFORE) {
		counts->duplicates++;
		return 0;
	}
	counts->used++;
	counts->unchecked += seen == FL_SEEN_UNCHECKED;
	counts->rounded += (item->flags & ITEM_ROUNDED) != 0;
	return write_item(clean, block, items, item, err);
}

static int take_mark(void *arg, const char *bytes, size_t len,
		     struct fl_error *err)
{
	const struct fl_clean *clean = arg;

	return fl_mark_forward(clean->config.io, bytes, len, clean->config.out,
			       err);
}

static enum fl_reason refuse(void *arg, struct fl_judge *judge,
			     const char **bytes, size_t *len,
			     struct fl_note *note)
{
	struct fl_clean *clean = arg;
	enum fl_reason reason = FL_REASON_NONE;

	/* It was refused before: what passes now has no answer. */
	if (judge_line(clean, judge, *bytes, *len, &reason, note) !=
	    VERDICT_REJECT) {
		fl_note_set(note, "",
			    "the program's answer changes from one "
			    "look to the next");
		reason = FL_REASON_expr_error;
	}
	/* What is refused again is kept as it was the first time. */
	if (clean->config.retry) {
		struct fl_note ignored;

		take_up_again(&clean->scratches[judge->who], bytes, len,
			      &ignored);
	}
	return reason;
}

static int idle(void *arg, struct fl_error *err)
{
	const struct fl_clean *clean = arg;

	return fl_writer_flush(clean->config.out, err);
}

int fl_clean_input(struct fl_clean *clean, const char *path,
		   struct fl_error *err)
{
	int result = fl_lines_input(clean->lines, path, err);

	if (clean->dedup)
		clean->config.io->counts.dedup_horizon_ns =
			fl_dedup_reached(clean->dedup);
	return result;
}

int fl_clean_open(struct fl_clean **out, const struct fl_clean_config *config,
		  struct fl_error *err)
{
	struct fl_clean *clean = fl_zalloc(sizeof(*clean));
	int result = 0;

	clean->config = *config;
	clean->work = (struct fl_lines_work){
		.io = config->io,
		.arg = clean,
		.item_size = sizeof(struct item),
		.judge = judge_item,
		.take = take_item,
		.mark = take_mark,
		.between = write_pending,
		.refuse = refuse,
		.idle = idle,
	};
	fl_lines_open(&clean->lines, &clean->work);
	clean->count = fl_lines_judges(clean->lines);
	clean->scratches = fl_zalloc(clean->count * sizeof(*clean->scratches));
	if (config->dedup_ns)
		clean->dedup =
			fl_dedup_new(config->dedup_ns, config->dedup_memory);
	for (unsigned i = 0; config->jq && result == 0 && i < clean->count; i++)
		result = fl_expr_open(&clean->scratches[i].expr, config->jq,
				      err);
	if (result < 0)
		fl_clean_close(&clean);
	*out = clean;
	return result;
}

void fl_clean_close(struct fl_clean **out)
{
	struct fl_clean *clean = *out;

	*out = NULL;
	if (!clean)
		return;
	fl_lines_close(&clean->lines);
	for (unsigned i = 0; i < clean->count; i++) {
		struct scratch *scratch = &clean->scratches[i];

		fl_json_release(&scratch->retry_json);
		fl_expr_close(&scratch->expr);
		fl_buf_release(&scratch->mapped);
		fl_buf_release(&scratch->retried);
	}
	free(clean->scratches);
	fl_dedup_free(clean->dedup);
	free(clean);
}
