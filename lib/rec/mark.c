/* mark: see mark.h for what marks mean; this is their text.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rec/mark.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "io/json.h"
#include "io/writer.h"

static bool type_is_mark(const char *bytes, size_t len)
{
	struct fl_json json = FL_JSON_INIT;
	struct fl_note note;
	uint32_t at;
	bool is;

	is = len <= FL_LINE_MAX &&
	     fl_json_parse(&json, bytes, len, &note) == FL_REASON_NONE &&
	     (at = fl_json_find(&json, 0, "type", 4)) &&
	     json.toks[at].kind == FL_JSON_STRING &&
	     fl_json_is(&json.toks[at], "mark", 4);
	fl_json_release(&json);
	return is;
}

bool fl_mark_is(const char *bytes, size_t len)
{
	static const char usual[] = "{\"type\":\"";
	const size_t n = sizeof(usual) - 1;

	/* Our commands write the type first. */
	if (len > n && memcmp(bytes, usual, n) == 0 && bytes[n] != 'm' &&
	    bytes[n] != '\\')
		return false;
	/* However it is spelled, the word or an escape must be there. */
	if (!memmem(bytes, len, "mark", 4) && !memmem(bytes, len, "\\u00", 4))
		return false;
	return type_is_mark(bytes, len);
}

static char *copy_tok(struct fl_mark *mark, const struct fl_json_tok *tok)
{
	return fl_arena_strndup(&mark->arena, tok->text, tok->len);
}

static struct fl_mark_at *find_origin(struct fl_mark *mark, const char *origin)
{
	for (size_t i = 0; i < mark->count; i++) {
		if (strcmp(mark->at[i].origin, origin) == 0)
			return &mark->at[i];
	}
	return NULL;
}

static struct fl_mark_at *add_origin(struct fl_mark *mark, const char *origin)
{
	struct fl_mark_at *at;

	if (mark->count == mark->cap) {
		mark->cap = mark->cap ? 2 * mark->cap : 8;
		mark->at = fl_realloc(mark->at, mark->cap, sizeof(*mark->at));
	}
	at = &mark->at[mark->count++];
	at->origin = fl_arena_strndup(&mark->arena, origin, strlen(origin));
	at->from = NULL;
	at->to = NULL;
	at->wm = at->rt = FL_TIME_NONE;
	return at;
}

static int not_a_mark(struct fl_error *err, const char *what)
{
	return fl_error_set(err, FL_ERR_DATA,
			    "a mark that cannot be followed: %s", what);
}

static int parse_at(struct fl_mark *mark, const struct fl_json *json,
		    uint32_t object, struct fl_error *err)
{
	const struct fl_json_tok *toks = json->toks;

	if (toks[object].kind != FL_JSON_OBJECT)
		return not_a_mark(err, "'at' is no object");
	for (uint32_t i = object + 1; i < toks[object].next;
	     i = toks[i + 1].next) {
		const struct fl_json_tok *pair = &toks[i + 1];
		const struct fl_json_tok *from = pair + 1, *to = pair + 2;
		struct fl_mark_at *at;

		if (pair->kind != FL_JSON_ARRAY || pair->len != 2 ||
		    (from->kind != FL_JSON_STRING &&
		     from->kind != FL_JSON_NULL) ||
		    to->kind != FL_JSON_STRING)
			return not_a_mark(err, "'at' needs [FROM, TO]");
		at = add_origin(mark, copy_tok(mark, &toks[i]));
		if (from->kind == FL_JSON_STRING)
			at->from = copy_tok(mark, from);
		at->to = copy_tok(mark, to);
	}
	return 0;
}

/* `wm` and `rt`: {origin: time}. Origins that did not move are passed over. */
static int parse_times(struct fl_mark *mark, const struct fl_json *json,
		       uint32_t object, bool is_wm, struct fl_error *err)
{
	const struct fl_json_tok *toks = json->toks;

	if (toks[object].kind != FL_JSON_OBJECT)
		return not_a_mark(err, "'wm' or 'rt' is no object");
	for (uint32_t i = object + 1; i < toks[object].next;
	     i = toks[i + 1].next) {
		const struct fl_json_tok *time = &toks[i + 1];
		struct fl_mark_at *at =
			find_origin(mark, copy_tok(mark, &toks[i]));
		int64_t ns;

		if (time->kind != FL_JSON_STRING ||
		    fl_time_parse(time->text, time->len, &ns) == FL_TIME_BAD)
			return not_a_mark(err, "a time of 'wm' or 'rt'");
		if (at)
			*(is_wm ? &at->wm : &at->rt) = ns;
	}
	return 0;
}

static int parse_via(struct fl_mark *mark, const struct fl_json *json,
		     uint32_t array, struct fl_error *err)
{
	const struct fl_json_tok *toks = json->toks;
	const char **via;
	size_t n = 0;

	if (toks[array].kind != FL_JSON_ARRAY)
		return not_a_mark(err, "'via' is no array");
	via = fl_arena_alloc(&mark->arena,
			     (toks[array].len + 1) * sizeof(*via));
	for (uint32_t i = array + 1; i < toks[array].next; i = toks[i].next) {
		if (toks[i].kind != FL_JSON_STRING)
			return not_a_mark(err, "'via' holds no string");
		via[n++] = copy_tok(mark, &toks[i]);
	}
	mark->via = via;
	mark->via_count = n;
	return 0;
}

static int parse_members(struct fl_mark *mark, const struct fl_json *json,
			 struct fl_error *err)
{
	const struct fl_json_tok *toks = json->toks;
	struct fl_buf unknown = FL_BUF_INIT;
	uint32_t wm = 0, rt = 0;
	int result = 0;

	for (uint32_t i = 1; i < toks[0].next && result == 0;
	     i = toks[i + 1].next) {
		const struct fl_json_tok *key = &toks[i], *value = &toks[i + 1];
		bool truth = value->kind == FL_JSON_TRUE;

		if (fl_json_is(key, "type", 4))
			continue;
		if (fl_json_is(key, "pipeline", 8) &&
		    value->kind == FL_JSON_STRING)
			mark->pipeline = copy_tok(mark, value);
		else if (fl_json_is(key, "at", 2))
			result = parse_at(mark, json, i + 1, err);
		else if (fl_json_is(key, "wm", 2))
			wm = i + 1;
		else if (fl_json_is(key, "rt", 2))
			rt = i + 1;
		else if (fl_json_is(key, "via", 3))
			result = parse_via(mark, json, i + 1, err);
		else if (fl_json_is(key, "open", 4))
			mark->open = truth;
		else if (fl_json_is(key, "end", 3))
			mark->end = truth;
		else if (fl_json_is(key, "live", 4))
			mark->live = truth;
		else {
			fl_buf_putc(&unknown, ',');
			fl_json_print(json, i, &unknown);
			fl_buf_putc(&unknown, ':');
			fl_json_print(json, i + 1, &unknown);
		}
	}
	mark->unknown = fl_arena_strndup(&mark->arena, fl_buf_text(&unknown),
					 unknown.len);
	fl_buf_release(&unknown);
	if (result == 0 && wm)
		result = parse_times(mark, json, wm, true, err);
	if (result == 0 && rt)
		result = parse_times(mark, json, rt, false, err);
	if (result == 0 && !mark->pipeline)
		return not_a_mark(err, "'pipeline' is missing");
	return result;
}

int fl_mark_parse(struct fl_mark *mark, const char *bytes, size_t len,
		  struct fl_error *err)
{
	struct fl_json json = FL_JSON_INIT;
	struct fl_note note = { "", "" };
	int result;

	fl_arena_reset(&mark->arena);
	mark->pipeline = NULL;
	mark->count = mark->via_count = 0;
	mark->via = NULL;
	mark->open = mark->end = false;
	mark->live = -1;
	mark->unknown = "";
	if (fl_json_parse(&json, bytes, len, &note) != FL_REASON_NONE ||
	    json.toks[0].kind != FL_JSON_OBJECT)
		result = not_a_mark(err, note.detail);
	else
		result = parse_members(mark, &json, err);
	fl_json_release(&json);
	return result;
}

static void print_text(struct fl_buf *out, const char *text)
{
	fl_buf_json_string(out, text, strlen(text));
}

static void print_times(const struct fl_mark *mark, bool is_wm,
			struct fl_buf *out)
{
	char before = '{', text[FL_TIME_TEXT];

	for (size_t i = 0; i < mark->count; i++) {
		int64_t ns = is_wm ? mark->at[i].wm : mark->at[i].rt;

		if (ns == FL_TIME_NONE)
			continue;
		if (before == '{')
			fl_buf_puts(out, is_wm ? ",\"wm\":" : ",\"rt\":");
		fl_buf_putc(out, before);
		before = ',';
		print_text(out, mark->at[i].origin);
		fl_time_print(ns, text);
		fl_buf_printf(out, ":\"%s\"", text);
	}
	if (before == ',')
		fl_buf_putc(out, '}');
}

void fl_mark_print(const struct fl_mark *mark, struct fl_buf *out)
{
	fl_buf_puts(out, "{\"type\":\"mark\",\"pipeline\":");
	print_text(out, mark->pipeline);
	fl_buf_puts(out, ",\"at\":{");
	for (size_t i = 0; i < mark->count; i++) {
		if (i)
			fl_buf_putc(out, ',');
		print_text(out, mark->at[i].origin);
		fl_buf_puts(out, ":[");
		if (mark->at[i].from)
			print_text(out, mark->at[i].from);
		else
			fl_buf_puts(out, "null");
		fl_buf_putc(out, ',');
		print_text(out, mark->at[i].to);
		fl_buf_putc(out, ']');
	}
	fl_buf_putc(out, '}');
	if (mark->open)
		fl_buf_puts(out, ",\"open\":true");
	if (mark->end)
		fl_buf_puts(out, ",\"end\":true");
	if (mark->live >= 0)
		fl_buf_puts(out,
			    mark->live ? ",\"live\":true" : ",\"live\":false");
	print_times(mark, true, out);
	print_times(mark, false, out);
	if (mark->via_count) {
		fl_buf_puts(out, ",\"via\":[");
		for (size_t i = 0; i < mark->via_count; i++) {
			if (i)
				fl_buf_putc(out, ',');
			print_text(out, mark->via[i]);
		}
		fl_buf_putc(out, ']');
	}
	fl_buf_puts(out, mark->unknown ? mark->unknown : "");
	fl_buf_putc(out, '}');
}

static const char *keep(struct fl_mark *mark, const char *text)
{
	return text ? fl_arena_strndup(&mark->arena, text, strlen(text)) : NULL;
}

void fl_mark_set(struct fl_mark *mark, const char *origin, const char *from,
		 const char *to, int64_t wm, int64_t rt)
{
	struct fl_mark_at *at = find_origin(mark, origin);

	if (!at)
		at = add_origin(mark, origin);
	at->from = keep(mark, from);
	at->to = keep(mark, to);
	at->wm = wm;
	at->rt = rt;
}

int fl_mark_join(struct fl_mark *mark, const struct fl_mark *next,
		 struct fl_error *err)
{
	for (size_t i = 0; i < next->count; i++) {
		const struct fl_mark_at *new = &next->at[i];
		struct fl_mark_at *at = find_origin(mark, new->origin);

		if (!at) {
			at = add_origin(mark, new->origin);
			at->from = keep(mark, new->from);
		} else if (!new->from || strcmp(at->to, new->from) != 0) {
			return fl_error_set(
				err, FL_ERR_DATA,
				"marks do not join: '%s' went to '%s', and the "
				"next mark begins at '%s'",
				at->origin, at->to,
				new->from ? new->from : "null");
		}
		at->to = keep(mark, new->to);
		if (new->wm != FL_TIME_NONE)
			at->wm = new->wm;
		if (new->rt != FL_TIME_NONE)
			at->rt = new->rt;
	}
	return 0;
}

void fl_mark_reset(struct fl_mark *mark)
{
	char *pipeline = mark->pipeline ? fl_strdup(mark->pipeline) : NULL;

	fl_arena_reset(&mark->arena);
	mark->count = mark->via_count = 0;
	mark->via = NULL;
	mark->open = mark->end = false;
	mark->live = -1;
	mark->unknown = "";
	mark->pipeline = keep(mark, pipeline);
	free(pipeline);
}

void fl_mark_release(struct fl_mark *mark)
{
	fl_arena_release(&mark->arena);
	free(mark->at);
	mark->at = NULL;
	mark->count = mark->cap = mark->via_count = 0;
}

int fl_mark_forward(struct fl_io *io, const char *bytes, size_t len,
		    struct fl_writer *out, struct fl_error *err)
{
	struct fl_mark mark = FL_MARK_INIT;
	struct fl_buf line = FL_BUF_INIT;
	int result = fl_mark_parse(&mark, bytes, len, err);

	if (result == 0 && mark.live >= 0)
		io->warm = !mark.live;
	if (result == 0 && mark.open) {
		io->marked = true;
		if (io->via) {
			const char **via = fl_arena_alloc(&mark.arena,
							  (mark.via_count + 1) *
								  sizeof(*via));

			if (mark.via_count)
				memcpy(via, mark.via,
				       mark.via_count * sizeof(*via));
			via[mark.via_count] = io->via;
			mark.via = via;
			mark.via_count++;
			fl_mark_print(&mark, &line);
			bytes = line.data;
			len = line.len;
		}
	}
	if (result == 0 && out) {
		result = fl_writer_control(out, bytes, len, err);
		/* A mark is where somebody may commit: pass it on at once when
		 * it is all that is waited for. The writer flushes when the
		 * input pauses, so nothing more is needed here. */
	}
	fl_buf_release(&line);
	fl_mark_release(&mark);
	return result;
}
