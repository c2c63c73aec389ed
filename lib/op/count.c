/* count: fl-agg count: how many records there are of each kind.
 *
 * A group is a window, a provider and the values of the fields counted by. A
 * window is written when its time is over and --allowed-lateness more, by the
 * newest time of the input; without that option all wait for the end, so that
 * the order of the input does not matter.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"
#include "base/window.h"
#include "op/agg.h"
#include "op/stat.h"
#include "rec/bar.h"
#include "rec/number.h"

enum {
	FIELDS_MAX = 16,
	KEY_MAX = 4096,  /* bytes of the values of one group */
	GROUP_SIZE = 96, /* memory of a group beside its key */
};

/* --- options -------------------------------------------------------------- */

static struct {
	struct fl_list by;
	const char *every;
	int64_t lateness_ns; /* FL_TIME_NONE: to the end of the input */
	uint64_t top, memory;
} option = { .lateness_ns = FL_TIME_NONE, .memory = 64 << 20 };

static const struct fl_option options[] = {
	FL_OPT_LIST(0, "by", "F,...", &option.by,
		    "count by the values of these fields, dots reaching into "
		    "objects: source.ip [type]"),
	FL_OPT_TEXT(0, "every", "IV", &option.every,
		    "a count for each window of time: 5m, 1h, 1d [one for "
		    "all]"),
	FL_OPT_U64(0, "top", "N", &option.top,
		   "only the N most frequent of a window and provider [all]"),
	FL_OPT_DURATION(0, "allowed-lateness", "DUR", &option.lateness_ns,
			"live: write a window when the newest time is so long "
			"past its end; what comes for it later is late [write "
			"all at the end]"),
	FL_OPT_SIZE(0, "memory", "SIZE", &option.memory,
		    "for the groups of windows not written yet [64M]"),
	FL_OPT_END,
};

static const char *const by_type[] = { "type", NULL };

/* --- state ---------------------------------------------------------------- */

struct group {
	uint64_t count;
	int64_t end_ns;
};

struct state {
	struct fl_agg_ask ask;
	const char *const *by;
	bool windowed;
	struct fl_interval every;
	struct fl_window window; /* of the last record */
	bool window_known, window_dated;
	int64_t newest_ns;
	int64_t next_ns; /* the end of the window that ends first */
	/* By when the window begins, provider, values: see make_key. */
	struct fl_map groups;
	uint64_t memory;
	struct fl_buf key, subject;
	struct fl_stat stat;
};

/* --- groups ----------------------------------------------------------------
 */

/* Bytes that sort as the number does. */
static void put_sortable(struct fl_buf *out, int64_t value)
{
	uint64_t bits = (uint64_t)value ^ (UINT64_C(1) << 63);

	for (int shift = 56; shift >= 0; shift -= 8)
		fl_buf_putc(out, (char)(bits >> shift));
}

static int64_t read_sortable(const char *bytes)
{
	uint64_t bits = 0;

	for (int i = 0; i < 8; i++)
		bits = bits << 8 | (unsigned char)bytes[i];
	return (int64_t)(bits ^ (UINT64_C(1) << 63));
}

static void put_value(const struct fl_record *rec,
		      const struct fl_json_tok *tok, struct fl_buf *out)
{
	if (tok->kind == FL_JSON_NUMBER)
		fl_number_print(tok->text, tok->len, out);
	else
		fl_json_print(rec->json, (uint32_t)(tok - rec->json->toks),
			      out);
}

/* Window, provider, NUL, and what will be `by` of the record. */
static void make_key(struct state *state, const struct fl_record *rec)
{
	const struct fl_json_tok *tok = fl_record_value(rec, "provider");
	struct fl_buf *key = &state->key;
	char before = '{';

	fl_buf_reset(key);
	put_sortable(key, state->windowed ? state->window.ts_ns : 0);
	fl_buf_append(key, tok->text, tok->len);
	fl_buf_putc(key, '\0');
	for (size_t i = 0; state->by[i]; i++) {
		tok = fl_record_value(rec, state->by[i]);
		if (!tok || tok->kind == FL_JSON_NULL)
			continue;
		fl_buf_putc(key, before);
		before = ',';
		fl_buf_json_string(key, state->by[i], strlen(state->by[i]));
		fl_buf_putc(key, ':');
		put_value(rec, tok, key);
	}
	fl_buf_puts(key, before == '{' ? "{}" : "}");
}

/* The window that the record is in. Bars of a day and longer have a date, no
 * instant. */
static void find_window(struct state *state, const struct fl_record *rec)
{
	const struct fl_zone *zone = state->ask.io->zone;
	struct fl_window *window = &state->window;
	bool dated = rec->type == &fl_type_bar && rec->at[FL_BAR_DATE] &&
		     rec->ts_ns % FL_DAY == 0;
	int64_t at = rec->ts_ns;

	if (dated)
		zone = NULL;
	if (state->every.dated)
		at = fl_window_day(zone, at);
	if (state->window_known && dated == state->window_dated &&
	    at >= window->from && at < window->to)
		return;
	if (state->every.dated)
		fl_window_date(&state->every, zone, at, window);
	else
		fl_window_instant(&state->every, zone, at, window);
	state->window_known = true;
	state->window_dated = dated;
}

static bool is_over(int64_t end_ns, int64_t newest_ns)
{
	return option.lateness_ns != FL_TIME_NONE &&
	       newest_ns != FL_TIME_NONE &&
	       newest_ns - option.lateness_ns >= end_ns;
}

/* --- output ----------------------------------------------------------------
 */

/* By window and provider; the most frequent first. */
static int by_rank(const void *a, const void *b)
{
	const struct fl_map_entry *left = a, *right = b;
	const struct group *l = left->value, *r = right->value;
	int order = memcmp(left->key, right->key, 8);

	if (order == 0)
		order = strcmp(left->key + 8, right->key + 8);
	if (order == 0)
		order = (l->count < r->count) - (l->count > r->count);
	return order ? order
		     : strcmp(left->key + 8 + strlen(left->key + 8) + 1,
			      right->key + 8 + strlen(right->key + 8) + 1);
}

/* "source.ip=10.0.0.1,event.action=deny/5m", out of the JSON of `by`. */
static void make_subject(struct state *state, const char *by)
{
	struct fl_buf *out = &state->subject;
	struct fl_json json = FL_JSON_INIT;
	struct fl_note note;

	fl_buf_reset(out);
	if (fl_json_parse(&json, by, strlen(by), &note) != FL_REASON_NONE)
		FL_BUG("a group's values are no JSON");
	for (size_t i = 0; state->by[i]; i++) {
		const char *name = state->by[i];
		uint32_t at = fl_json_find(&json, 0, name, strlen(name));
		const struct fl_json_tok *tok = &json.toks[at];
		size_t start;

		fl_buf_printf(out, "%s%s=", i ? "," : "", name);
		start = out->len;
		if (at)
			fl_json_print(&json, at, out);
		/* Without its quotes; what is escaped stays so, for a label
		 * holds no control characters. */
		if (at && tok->kind == FL_JSON_STRING) {
			out->len -= 2;
			memmove(out->data + start, out->data + start + 1,
				out->len - start);
			out->data[out->len] = '\0';
		}
	}
	if (state->windowed)
		fl_buf_printf(out, "/%s", state->every.text);
	fl_json_release(&json);
}

static int write_group(struct state *state, const struct fl_map_entry *entry,
		       struct fl_error *err)
{
	const struct group *group = entry->value;
	const char *provider = entry->key + 8;
	const char *by = provider + strlen(provider) + 1;
	struct fl_stat *stat = &state->stat;

	make_subject(state, by);
	fl_stat_begin(stat,
		      state->windowed ? read_sortable(entry->key)
				      : state->newest_ns,
		      provider, "count", fl_buf_text(&state->subject),
		      state->windowed ? state->every.text : NULL);
	/* The brace that closes it comes with the record. */
	if (strcmp(by, "{}") != 0)
		fl_buf_append(&stat->by, by, strlen(by) - 1);
	fl_stat_count(stat, "count", group->count);
	return fl_stat_write(stat, state->ask.out, err);
}

static int write_groups(struct state *state, const struct fl_map_entry *entries,
			size_t count, struct fl_error *err)
{
	uint64_t rank = 0;

	for (size_t i = 0; i < count; i++) {
		bool same =
			i &&
			memcmp(entries[i].key, entries[i - 1].key, 8) == 0 &&
			strcmp(entries[i].key + 8, entries[i - 1].key + 8) == 0;

		rank = same ? rank + 1 : 1;
		if (option.top && rank > option.top)
			continue;
		if (write_group(state, &entries[i], err) < 0)
			return -1;
	}
	return 0;
}

/* Write the groups of windows that are over, or all, and forget them. */
static int write_over(struct state *state, bool all, struct fl_error *err)
{
	struct fl_map old = state->groups, rest = FL_MAP_INIT;
	struct fl_map_entry *over = fl_alloc((old.count + 1) * sizeof(*over));
	size_t count = 0;
	int result;

	state->next_ns = INT64_MAX;
	state->memory = 0;
	for (size_t i = 0; i < old.count; i++) {
		struct fl_map_entry *entry = &old.entries[i];
		struct group *group = entry->value;

		if (all || is_over(group->end_ns, state->newest_ns)) {
			over[count++] = *entry;
			continue;
		}
		*fl_map_at(&rest, entry->key, entry->len) = group;
		entry->value = NULL;
		state->memory += entry->len + GROUP_SIZE;
		if (group->end_ns < state->next_ns)
			state->next_ns = group->end_ns;
	}
	qsort(over, count, sizeof(*over), by_rank);
	result = write_groups(state, over, count, err);
	free(over);
	fl_map_release(&old, free);
	state->groups = rest;
	return result;
}

/* --- the verb --------------------------------------------------------------
 */

static int add_group(struct state *state, void **slot, struct fl_error *err)
{
	struct group *group = fl_zalloc(sizeof(*group));

	*slot = group;
	group->end_ns = state->windowed ? state->window.end_ns : INT64_MAX;
	if (group->end_ns < state->next_ns)
		state->next_ns = group->end_ns;
	state->memory += state->key.len + GROUP_SIZE;
	if (state->memory <= option.memory)
		return 0;
	return fl_error_set(err, FL_ERR_DATA,
			    "%zu groups and more have no room: give a larger "
			    "--memory, count by fewer fields%s",
			    state->groups.count,
			    state->windowed &&
					    option.lateness_ns == FL_TIME_NONE
				    ? ", or let windows be written by "
				      "--allowed-lateness"
				    : "");
}

static int count_put(void *arg, const struct fl_record *rec,
		     struct fl_error *err)
{
	struct state *state = arg;
	struct fl_counts *counts = &state->ask.io->counts;
	struct fl_note note = { "", "" };
	void **slot;

	if (state->windowed)
		find_window(state, rec);
	if (state->windowed &&
	    is_over(state->window.end_ns, state->newest_ns)) {
		fl_note_set(&note, "ts", "its window of %s was written before",
			    state->every.text);
		return fl_agg_refuse(state->ask.io, rec, FL_REASON_late, &note,
				     err);
	}
	make_key(state, rec);
	if (state->key.len > KEY_MAX) {
		fl_note_set(&note, "",
			    "the values of --by have %zu bytes, at most %d are "
			    "taken",
			    state->key.len, KEY_MAX);
		return fl_agg_refuse(state->ask.io, rec, FL_REASON_out_of_range,
				     &note, err);
	}
	counts->used++;
	slot = fl_map_at(&state->groups, state->key.data, state->key.len);
	if (!*slot && add_group(state, slot, err) < 0)
		return -1;
	((struct group *)*slot)->count++;
	if (rec->ts_ns <= state->newest_ns)
		return 0;
	state->newest_ns = rec->ts_ns;
	return is_over(state->next_ns, state->newest_ns)
		       ? write_over(state, false, err)
		       : 0;
}

static int count_end(void *arg, struct fl_error *err)
{
	return write_over(arg, true, err);
}

static int check_options(const struct state *state, struct fl_error *err)
{
	if (option.by.count > FIELDS_MAX)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--by takes %d fields at most", FIELDS_MAX);
	for (size_t i = 0; state->by[i]; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(state->by[i], state->by[j]) == 0)
				return fl_error_set(
					err, FL_ERR_USAGE,
					"--by: '%s' stands twice",
					fl_show(state->by[i],
						strlen(state->by[i]), 60));
		}
	}
	if (option.lateness_ns == FL_TIME_NONE)
		return 0;
	if (option.lateness_ns < 0)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--allowed-lateness is 0s or more");
	if (!state->windowed)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--allowed-lateness is for windows: say "
				    "--every as well");
	return 0;
}

static int count_open(void **arg, const struct fl_agg_ask *ask,
		      struct fl_error *err)
{
	struct state *state = fl_zalloc(sizeof(*state));

	*arg = state;
	state->ask = *ask;
	state->by = option.by.count ? (const char *const *)option.by.items
				    : by_type;
	state->windowed = option.every != NULL;
	state->newest_ns = FL_TIME_NONE;
	state->next_ns = INT64_MAX;
	if (state->windowed &&
	    fl_interval_parse(option.every, &state->every, err) < 0)
		return fl_error_wrap(err, "--every");
	return check_options(state, err);
}

static void count_close(void *arg)
{
	struct state *state = arg;

	if (!state)
		return;
	fl_map_release(&state->groups, free);
	fl_buf_release(&state->key);
	fl_buf_release(&state->subject);
	fl_stat_release(&state->stat);
	free(state);
}

const struct fl_agg fl_agg_count = {
	.name = "count",
	.summary = "how many records there are, by any fields and in windows "
		   "of time",
	.spec = "",
	.examples =
		"fl-fetch store lake.db | fl-agg count --by type,symbol --as "
		"table\n"
		"fl-agg count --by source.ip,event.action --every 5m --top 10 "
		"log.ndjson\n"
		"fl-agg count --by reason,field bad.ndjson\n"
		"fl-fetch sim --speed 1 | fl-agg count --by symbol --every 10s "
		"--allowed-lateness 1s",
	.options = options,
	.whole_stream = true,
	.counts_rejects = true,
	.open = count_open,
	.put = count_put,
	.end = count_end,
	.close = count_close,
};
