/* fallback: see fallback.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/fallback.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/near.h"
#include "base/time.h"
#include "io/reject.h"
#include "source/pick.h"
#include "source/poll-out.h"
#include "source/polled.h"

#define LEGS_MAX 8
#define CSV      "csv:"

/* The sources of this run, as the word names them. */
static struct {
	const struct fl_source *sources[LEGS_MAX];
	char *names;                   /* the word, cut at its commas */
	const char *folders[LEGS_MAX]; /* of csv:DIR; else NULL */
	size_t count;
	struct fl_option options[LEGS_MAX + 1];
	struct fl_source source;
} chain;

/* What is missing of a symbol, and why. */
struct missed {
	struct fl_buf words;
	enum fl_reason reason; /* the first source's */
	bool retryable;
};

struct fallback {
	const struct fl_ask *ask;
	struct fl_ask asked[LEGS_MAX]; /* of each source */
	size_t leg;
	/* Of each. What was given is borrowed, so they stay open. */
	void *states[LEGS_MAX];
	char **symbols;         /* that it is asked for */
	struct fl_map missed;   /* by all so far */
	struct fl_map now;      /* by the one under way: of struct missed */
	size_t all, given_up;   /* symbols; that none could give */
	size_t file;            /* csv:DIR: the next symbol */
	struct fl_poll_out out; /* of one file */
	size_t given;
	bool told; /* which symbols are missing in the end */
	char first[600];
	bool retryable;
};

/* --- the word --- */

bool fl_fallback_is(const char *word)
{
	return strchr(word, ',');
}

static int bad_name(const char *name, struct fl_error *err)
{
	const char *names[LEGS_MAX * 4] = { NULL };
	size_t count = 0;
	const char *near;

	for (size_t i = 0; fl_sources[i]; i++) {
		if (fl_sources[i]->polled &&
		    count + 1 < sizeof(names) / sizeof(*names))
			names[count++] = fl_sources[i]->name;
	}
	if (fl_source_find(name))
		return fl_error_set(err, FL_ERR_USAGE,
				    "a list of sources takes those that are "
				    "asked by symbol, and csv:DIR; not '%s'",
				    name);
	near = fl_nearest(name, names);
	return fl_error_set(err, FL_ERR_USAGE,
			    near ? "unknown source '%s' (did you mean '%s'?); "
				   "see fl-fetch --list-sources"
				 : "unknown source '%s'; see fl-fetch "
				   "--list-sources",
			    fl_show(name, strlen(name), 60), near);
}

static int add_leg(const char *name, struct fl_error *err)
{
	size_t csv = strlen(CSV);

	if (chain.count == LEGS_MAX)
		return fl_error_set(err, FL_ERR_USAGE,
				    "at most %d sources in a row", LEGS_MAX);
	if (strncmp(name, CSV, csv) == 0 && name[csv]) {
		chain.folders[chain.count] = name + csv;
		name = "csv";
	}
	chain.sources[chain.count] = fl_source_find(name);
	if (!chain.sources[chain.count] ||
	    (!chain.sources[chain.count]->polled &&
	     !chain.folders[chain.count]))
		return bad_name(name, err);
	chain.options[chain.count] = (struct fl_option)FL_OPT_GROUP(
		chain.sources[chain.count]->options);
	chain.count++;
	return 0;
}

/* --- options --- */

/* The option of that name in a table; groups are looked into. */
static const struct fl_option *find_option(const struct fl_option *table,
					   const char *name)
{
	const struct fl_option *found = NULL;

	for (; table->kind != FL_OPTION_END && !found; table++) {
		if (table->kind == FL_OPTION_GROUP)
			found = find_option(table->group, name);
		else if (strcmp(table->name, name) == 0)
			found = table;
	}
	return found;
}

static size_t size_of(enum fl_option_kind kind)
{
	switch (kind) {
	case FL_OPTION_FLAG:
		return sizeof(bool);
	case FL_OPTION_TEXT:
		return sizeof(const char *);
	case FL_OPTION_U64:
	case FL_OPTION_SIZE:
		return sizeof(uint64_t);
	case FL_OPTION_DURATION:
		return sizeof(int64_t);
	case FL_OPTION_LIST:
		return sizeof(struct fl_list);
	default:
		return 0;
	}
}

/* Give the later source's options what the earlier one's of that name have. */
static void share(const struct fl_option *from, const struct fl_option *table)
{
	for (; table->kind != FL_OPTION_END; table++) {
		const struct fl_option *first;

		if (table->kind == FL_OPTION_GROUP) {
			share(from, table->group);
			continue;
		}
		first = find_option(from, table->name);
		if (first && first->kind == table->kind &&
		    first->target != table->target && size_of(table->kind))
			memcpy(table->target, first->target,
			       size_of(table->kind));
	}
}

void fl_fallback_share(void)
{
	for (size_t i = 1; i < chain.count; i++) {
		/* The first that has the option was set. */
		for (size_t j = i; j-- > 0;)
			share(chain.sources[j]->options,
			      chain.sources[i]->options);
	}
}

/* --- what is missing --- */

static void free_missed(void *value)
{
	struct missed *missed = value;

	if (missed)
		fl_buf_release(&missed->words);
	free(missed);
}

/* A source has no record of the symbol. */
static void miss(void *arg, const char *symbol, enum fl_reason reason,
		 bool retryable, const char *words)
{
	struct fallback *f = arg;
	void **slot = fl_map_at(&f->missed, symbol, strlen(symbol));
	struct missed *missed = *slot;
	const struct fl_source *source = chain.sources[f->leg];

	if (!missed) {
		*slot = missed = fl_zalloc(sizeof(*missed));
		missed->reason = reason;
	}
	missed->retryable |= retryable;
	if (missed->words.len)
		fl_buf_puts(&missed->words, "; ");
	if (strncmp(words, source->name, strlen(source->name)) != 0)
		fl_buf_printf(&missed->words, "%s: ", source->name);
	fl_buf_puts(&missed->words, words);
	*fl_map_at(&f->now, symbol, strlen(symbol)) = f;
}

/* The next source is asked for what this one has missed, in the order of the
 * list. */
static void take_missed(struct fallback *f)
{
	char **left = fl_zalloc((f->now.count + 1) * sizeof(*left));
	size_t count = 0;

	for (char **at = f->symbols; *at; at++) {
		if (fl_map_get(&f->now, *at, strlen(*at)))
			left[count++] = fl_strdup(*at);
	}
	fl_symbols_free(f->symbols);
	f->symbols = left;
	fl_map_clear(&f->now, NULL);
}

/* One reject for a symbol that none has. */
static int give_up(struct fallback *f, const char *symbol, struct fl_error *err)
{
	const struct missed *missed =
		fl_map_get(&f->missed, symbol, strlen(symbol));
	struct fl_note note;
	const struct fl_reject reject = {
		.reason = missed->reason,
		.note = &note,
		.input = symbol,
		.raw = symbol,
		.raw_len = strlen(symbol),
		.retryable = missed->retryable ? FL_AGAIN_YES : FL_AGAIN_NO,
	};
	char text[600];

	fl_note_set(&note, "", "%s", fl_buf_text(&missed->words));
	snprintf(text, sizeof(text), "'%s': %s", symbol,
		 fl_buf_text(&missed->words));
	if (!f->given_up++)
		snprintf(f->first, sizeof(f->first), "%s", text);
	f->retryable |= missed->retryable;
	if (f->all > 1 && f->ask->tell)
		f->ask->tell(f->ask->tell_arg, text);
	return fl_reject(f->ask->io, &reject, err);
}

static int finish(struct fallback *f, struct fl_error *err)
{
	enum fl_code code;

	for (char **at = f->symbols; *at && !f->told; at++) {
		if (give_up(f, *at, err) < 0)
			return -1;
	}
	f->told = true;
	code = f->retryable ? FL_ERR_AGAIN : FL_ERR_REFUSED;
	if (f->given_up < f->all)
		return 0;
	if (f->all == 1)
		return fl_error_set(err, code, "%s", f->first);
	return fl_error_set(err, code,
			    "no source gave any of %zu symbols; the first: %s",
			    f->all, f->first);
}

/* --- csv:DIR --- */

/* The file of a symbol, to be freed; NULL: there is none. */
static char *file_of(const char *folder, const char *symbol)
{
	static const char *const ends[] = { ".csv", ".csv.gz", ".csv.zst" };

	for (size_t i = 0;
	     i < sizeof(ends) / sizeof(*ends) && !strchr(symbol, '/'); i++) {
		char *path = fl_sprintf("%s/%s%s", folder, symbol, ends[i]);

		if (access(path, F_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

static int keep(void *arg, const char *bytes, size_t len, struct fl_error *err)
{
	struct fl_poll_out *out = arg;

	(void)err;
	fl_buf_append(fl_poll_text(out), bytes, len);
	fl_poll_record(out, FL_TIME_NONE, false);
	return 0;
}

/* All that is wanted of an open file. */
static int read_rows(struct fallback *f, struct fl_pick *pick, void *state,
		     struct fl_error *err)
{
	struct fl_counts *counts = &f->ask->io->counts;
	struct fl_item item;
	int got;

	while ((got = fl_source_find("csv")->next(state, &item, err)) > 0) {
		enum fl_picked picked = FL_PICK_YES;
		uint64_t dropped = 0;

		if (got == 2 || !item.bytes)
			continue;
		if (pick &&
		    fl_pick_item(pick, &item, &picked, &dropped, err) < 0)
			return -1;
		counts->in += picked != FL_PICK_YES;
		counts->filtered += (picked == FL_PICK_NO) + dropped;
		if (picked == FL_PICK_YES) {
			fl_buf_append(fl_poll_text(&f->out), item.bytes,
				      item.len);
			fl_poll_record(&f->out, item.ts_ns, false);
		}
	}
	if (got == 0 && pick) {
		size_t before = f->out.count;

		got = fl_pick_each(pick, keep, &f->out, err);
		/* They were counted when they came. */
		counts->in -= f->out.count - before;
	}
	return got;
}

static int read_file(struct fallback *f, const char *symbol, char *path,
		     struct fl_error *err)
{
	const struct fl_source *csv = fl_source_find("csv");
	const char *const symbols[] = { symbol, NULL };
	char *operands[] = { path, NULL };
	struct fl_ask *asked = &f->asked[f->leg];
	struct fl_pick *pick = NULL;
	void *state = NULL;
	int result;

	*asked = *f->ask;
	asked->operands = operands;
	asked->symbols = symbols;
	asked->marked = false;
	asked->runs = false; /* they are selected here */
	result = fl_pick_open(&pick, asked, err);
	if (result == 0)
		result = csv->open(&state, asked, err);
	if (result == 0)
		result = read_rows(f, pick, state, err);
	csv->close(state);
	fl_pick_close(&pick);
	return result;
}

/* The next symbol's file. A file that cannot be read is missed as one that is
 * not there. */
static void next_file(struct fallback *f)
{
	const char *folder = chain.folders[f->leg];
	const char *symbol = f->symbols[f->file++];
	char *path = file_of(folder, symbol);
	struct fl_error err = { .code = FL_OK };
	char text[400];

	fl_poll_release(&f->out);
	f->given = 0;
	if (!path) {
		snprintf(text, sizeof(text), "no file '%s/%s.csv'",
			 fl_show(folder, strlen(folder), 200), symbol);
		miss(f, symbol, FL_REASON_unknown_symbol, false, text);
		return;
	}
	if (read_file(f, symbol, path, &err) < 0) {
		fl_poll_release(&f->out);
		miss(f, symbol, FL_REASON_provider_error, false, err.text);
	}
	free(path);
}

/* --- the source --- */

static int fallback_open(void **state, const struct fl_ask *ask,
			 struct fl_error *err)
{
	struct fallback *f = fl_zalloc(sizeof(*f));

	*state = f;
	f->ask = ask;
	fl_fallback_share();
	if (fl_polled_symbols(ask, chain.source.name, &f->symbols, err) < 0)
		return -1;
	while (f->symbols[f->all])
		f->all++;
	return 0;
}

static void open_leg(struct fallback *f)
{
	const struct fl_source *source = chain.sources[f->leg];
	struct fl_ask *asked = &f->asked[f->leg];
	struct fl_error err = { .code = FL_OK };

	*asked = *f->ask;
	asked->operands = f->symbols;
	asked->symbols = NULL;
	asked->missed = miss;
	asked->missed_arg = f;
	if (source->open(&f->states[f->leg], asked, &err) == 0)
		return;
	/* It cannot be asked at all: then it has none of them. */
	source->close(f->states[f->leg]);
	f->states[f->leg] = NULL;
	for (char **at = f->symbols; *at; at++)
		miss(f, *at, FL_REASON_provider_error, err.code == FL_ERR_AGAIN,
		     err.text);
}

/* returns 1, 0 nothing is left of this source, 2, -1 */
static int next_of_leg(struct fallback *f, struct fl_item *item,
		       struct fl_error *err)
{
	if (!chain.folders[f->leg])
		return f->states[f->leg] ? chain.sources[f->leg]->next(
						   f->states[f->leg], item, err)
					 : 0;
	while (!fl_stop_requested(f->ask->io)) {
		if (f->given < f->out.count) {
			const struct fl_poll_entry *entry =
				&f->out.entries[f->given++];

			*item = (struct fl_item){
				.bytes = f->out.text.data + entry->at,
				.len = entry->len,
				.ts_ns = entry->ts_ns,
			};
			return 1;
		}
		if (!f->symbols[f->file])
			return 0;
		next_file(f);
	}
	return 0;
}

static int fallback_next(void *state, struct fl_item *item,
			 struct fl_error *err)
{
	struct fallback *f = state;

	while (!fl_stop_requested(f->ask->io)) {
		int got;

		if (f->leg == chain.count || !*f->symbols)
			return finish(f, err);
		if (!f->states[f->leg] && !f->now.count &&
		    !chain.folders[f->leg])
			open_leg(f);
		got = next_of_leg(f, item, err);
		if (got != 0)
			return got;
		if (fl_stop_requested(f->ask->io))
			return 0;
		take_missed(f);
		f->leg++;
		f->file = 0;
	}
	return 0;
}

static void fallback_close(void *state)
{
	struct fallback *f = state;

	if (!f)
		return;
	for (size_t i = 0; i < chain.count; i++) {
		if (f->states[i])
			chain.sources[i]->close(f->states[i]);
	}
	fl_polled_finish();
	fl_poll_release(&f->out);
	fl_symbols_free(f->symbols);
	fl_map_release(&f->missed, free_missed);
	fl_map_release(&f->now, NULL);
	free(f);
}

static void fallback_tell(void *state, char *text, size_t size)
{
	const struct fallback *f = state;

	if (f)
		snprintf(text, size, "%zu symbol%s", f->all,
			 f->all == 1 ? "" : "s");
}

/* --dry-run: of the first, as nobody knows what it will miss. */
static int fallback_list(const struct fl_ask *ask,
			 int (*each)(void *arg, const char *bytes, size_t len,
				     struct fl_error *err),
			 void *arg, struct fl_error *err)
{
	const struct fl_source *first = chain.sources[0];

	fl_fallback_share();
	return first->list ? first->list(ask, each, arg, err) : 0;
}

const struct fl_source *fl_fallback_find(const char *word, struct fl_error *err)
{
	char *rest, *name;

	if (chain.source.name && strcmp(chain.source.name, word) == 0)
		return &chain.source;
	chain.names = rest = fl_strdup(word);
	chain.count = 0;
	while ((name = strsep(&rest, ","))) {
		if (add_leg(name, err) < 0)
			return NULL;
	}
	chain.options[chain.count] = (struct fl_option)FL_OPT_END;
	chain.source = (struct fl_source){
		.name = fl_strdup(word),
		.summary = "each symbol from the first of these that has it",
		.types = "bar, dividend, split, quote, news, instrument, "
			 "calendar",
		.operands = "SYMBOL...",
		.examples = "fl-fetch yahoo,alphavantage,csv:prices AAPL",
		.options = chain.options,
		.selects = true,
		.resumes = true,
		.polled = chain.sources[0]->polled,
		.open = fallback_open,
		.next = fallback_next,
		.close = fallback_close,
		.tell = fallback_tell,
		.list = fallback_list,
	};
	return &chain.source;
}
