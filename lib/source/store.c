/* store: reading a place back. The store selects; this only passes on what the
 * user asked for, and tells what there is.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/time.h"
#include "base/zone.h"
#include "io/io.h"
#include "source/pick.h"
#include "source/source.h"

static struct {
	const char *interval, *adj;
	struct fl_list providers;
	bool list, unordered;
} option;

static const struct fl_option options[] = {
	FL_OPT_TEXT(0, "interval", "IV", &option.interval,
		    "bars of this interval only"),
	FL_OPT_TEXT(0, "adj", "A", &option.adj,
		    "bars adjusted so only: none, split, all"),
	FL_OPT_LIST(0, "provider", "P,...", &option.providers,
		    "records of these providers only"),
	FL_OPT_FLAG(0, "unordered", &option.unordered,
		    "in whatever order is quickest, not by time"),
	FL_OPT_FLAG(0, "list", &option.list,
		    "tell what is stored: type, symbol, interval, count, first "
		    "and last"),
	FL_OPT_END,
};

struct state {
	const struct fl_ask *ask;
	struct fl_store *store;
	struct fl_cursor *cursor;
	struct fl_interval interval;
};

static const char *adjustments[] = { "none", "split", "all", NULL };

static int make_query(const struct fl_ask *ask, struct fl_interval *interval,
		      struct fl_query *query, struct fl_error *err)
{
	*query = (struct fl_query){
		.types = ask->types,
		.symbols = ask->symbols,
		.providers =
			option.providers.count ? option.providers.items : NULL,
		.from = ask->from,
		.to = ask->to,
		.date_from = fl_zone_wall(ask->io->zone, ask->from),
		.date_to = fl_zone_wall(ask->io->zone, ask->to),
		.last = ask->last,
		.adj = option.adj,
		.unordered = option.unordered,
	};
	for (const char *const *type = ask->types; type && *type; type++)
		if (!fl_type_find(*type, strlen(*type)))
			return fl_error_set(
				err, FL_ERR_USAGE,
				"--type: no record type '%s'; see fl-records(5)",
				fl_show(*type, strlen(*type), 60));
	if (option.interval) {
		if (fl_interval_parse(option.interval, interval, err) < 0)
			return -1;
		query->interval = interval->text;
	}
	for (size_t i = 0; option.adj && adjustments[i]; i++)
		if (strcmp(adjustments[i], option.adj) == 0)
			return 0;
	if (option.adj)
		return fl_error_set(
			err, FL_ERR_USAGE,
			"--adj is none, split or all, not '%s'",
			fl_show(option.adj, strlen(option.adj), 60));
	return 0;
}

/* NULL with err: none was named, or it cannot be opened. */
static struct fl_store *open_place(const struct fl_ask *ask,
				   struct fl_error *err)
{
	const char *place = ask->operands ? *ask->operands : NULL;
	struct fl_store *store = NULL;

	if (place && ask->operands[1]) {
		fl_error_set(err, FL_ERR_USAGE,
			     "store reads one place at a time, not '%s' as "
			     "well; symbols are given by --symbol",
			     fl_show(ask->operands[1], strlen(ask->operands[1]),
				     100));
		return NULL;
	}
	if (!place)
		place = ask->store;
	if (!place || !*place) {
		fl_error_set(err, FL_ERR_USAGE,
			     "which place? fl-fetch store FILE.db, or set "
			     "FL_STORE");
		return NULL;
	}
	return fl_store_open(&store, place, FL_STORE_READ, err) < 0 ? NULL
								    : store;
}

static void store_close(void *arg)
{
	struct state *state = arg;

	if (!state)
		return;
	if (state->cursor)
		state->store->ops->end(state->cursor);
	fl_store_close(&state->store);
	free(state);
}

static int store_open(void **arg, const struct fl_ask *ask,
		      struct fl_error *err)
{
	struct state *state = fl_zalloc(sizeof(*state));
	struct fl_query query;

	*arg = state;
	state->ask = ask;
	if (make_query(ask, &state->interval, &query, err) < 0)
		return -1;
	state->store = open_place(ask, err);
	if (!state->store)
		return -1;
	return state->store->ops->query(state->store, &query, &state->cursor,
					err);
}

static int store_next(void *arg, struct fl_item *item, struct fl_error *err)
{
	struct state *state = arg;
	int got;

	if (*state->ask->io->stop)
		return 0;
	if (state->ask->runs && state->store->ops->next_run)
		got = state->store->ops->next_run(state->cursor, &item->bytes,
						  &item->len, &item->lines,
						  &item->ts_ns, err);
	else
		got = state->store->ops->next(state->cursor, &item->bytes,
					      &item->len, &item->ts_ns, err);
	if (got > 0)
		state->ask->io->counts.bytes_in +=
			item->len + (item->lines == 0);
	return got;
}

/* --- --list ------------------------------------------------------------------
 */

struct lister {
	int (*each)(void *arg, const char *bytes, size_t len,
		    struct fl_error *err);
	void *arg;
	struct fl_buf line;
};

static void add_member(struct fl_buf *line, const char *name, const char *value,
		       bool first)
{
	if (!first)
		fl_buf_putc(line, ',');
	fl_buf_printf(line, "\"%s\":", name);
	fl_buf_json_string(line, value, strlen(value));
}

/* The subject says what is counted, so that no two rows share a key. */
static void add_subject(struct fl_buf *line, const struct fl_summary *row)
{
	const char *parts[] = { row->type, row->provider, row->symbol,
				row->interval };
	struct fl_buf subject = FL_BUF_INIT;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (!parts[i])
			continue;
		if (subject.len)
			fl_buf_putc(&subject, '/');
		fl_buf_puts(&subject, parts[i]);
	}
	fl_buf_json_string(line, fl_buf_text(&subject), subject.len);
	fl_buf_release(&subject);
}

static int list_row(void *arg, const struct fl_summary *row,
		    struct fl_error *err)
{
	struct lister *lister = arg;
	struct fl_buf *line = &lister->line;
	char first[FL_TIME_TEXT], last[FL_TIME_TEXT];

	fl_time_print(row->first, first);
	fl_time_print(row->last, last);
	fl_buf_reset(line);
	fl_buf_printf(line,
		      "{\"type\":\"stat\",\"ts\":\"%s\",\"provider\":"
		      "\"fl-fetch\",\"stat\":\"store\",\"subject\":",
		      last);
	add_subject(line, row);
	fl_buf_puts(line, ",\"by\":{");
	add_member(line, "type", row->type, true);
	if (row->provider)
		add_member(line, "provider", row->provider, false);
	if (row->symbol)
		add_member(line, "symbol", row->symbol, false);
	if (row->interval)
		add_member(line, "interval", row->interval, false);
	fl_buf_printf(line,
		      "},\"values\":{\"count\":%llu,\"first\":\"%s\","
		      "\"last\":\"%s\"}}",
		      (unsigned long long)row->count, first, last);
	return lister->each(lister->arg, line->data, line->len, err);
}

static int store_list(const struct fl_ask *ask,
		      int (*each)(void *arg, const char *bytes, size_t len,
				  struct fl_error *err),
		      void *arg, struct fl_error *err)
{
	struct lister lister = { each, arg, FL_BUF_INIT };
	struct fl_interval interval;
	struct fl_store *store = NULL;
	struct fl_query query;
	int result = -1;

	if (!option.list)
		return 0;
	if (make_query(ask, &interval, &query, err) == 0)
		store = open_place(ask, err);
	if (store)
		result =
			store->ops->list(store, &query, list_row, &lister, err);
	fl_buf_release(&lister.line);
	fl_store_close(&store);
	return result < 0 ? -1 : 1;
}

const struct fl_source fl_source_store = {
	.name = "store",
	.summary = "what a place holds, by time; the newest N of each symbol "
		   "with --last",
	.types = "every type",
	.operands = "[PLACE]",
	.examples = "fl-fetch store lake.db --list\n"
		    "fl-fetch store lake.db --symbol AAPL --interval 1d --last "
		    "10\n"
		    "fl-fetch store lake.db --from 2024-01-01 --to 2025-01-01 "
		    "--as csv > 2024.csv",
	.options = options,
	.selects = true,
	.open = store_open,
	.next = store_next,
	.close = store_close,
	.list = store_list,
};
