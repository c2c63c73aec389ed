/* fl-fetch: get market data, news and logs as records.
 *
 * One loop for all sources: it selects where the source does not, counts,
 * writes, and makes the marks of a pipeline that can resume. A stop ends the
 * source, not the stream: what was written is marked, and the end is good, so
 * Ctrl-C on a whole pipeline loses nothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "base/zone.h"
#include "cli/run.h"
#include "io/json.h"
#include "io/stream.h"
#include "io/writer.h"
#include "rec/mark.h"
#include "source/fallback.h"
#include "source/marks.h"
#include "source/pick.h"
#include "source/polled.h"
#include "source/positions.h"
#include "source/quota.h"
#include "source/source.h"

#define SOURCES_MAX 32

static struct {
	bool list_sources, quota;
	const char *state;
} option;

static const struct fl_option options[] = {
	FL_OPT_GROUP(fl_options_selects),
	FL_OPT_GROUP(fl_options_last),
	FL_OPT_STREAM,
	FL_OPT_GROUP(fl_options_resume),
	FL_OPT_WORD(0, "state", "FILE", "@file", &option.state,
		    "go on where FILE says that the last run came to, and "
		    "keep it there"),
	FL_OPT_FLAG(0, "list-sources", &option.list_sources,
		    "tell what there is to fetch from"),
	FL_OPT_FLAG(0, "quota", &option.quota,
		    "tell what is left of what providers may be asked"),
	FL_OPT_END,
};

/* --- sources as words --------------------------------------------------------
 */

/* Sources that this build could not have. */
static const struct {
	const char *name, *lacks;
} left_out[] = {
#ifdef FL_WITHOUT_CURL
	{ "yahoo", "libcurl" },
	{ "alphavantage", "libcurl" },
#endif
	{ NULL, NULL },
};

static struct fl_subcommand words[SOURCES_MAX];
static const struct fl_subcommand *word_list[SOURCES_MAX + 1];
static const char *built[SOURCES_MAX + 8]; /* their names */

static void make_words(void)
{
	size_t n = 0;

	for (; fl_sources[n]; n++) {
		const struct fl_source *source = fl_sources[n];

		if (n == SOURCES_MAX)
			FL_BUG("more sources than SOURCES_MAX");
		words[n] = (struct fl_subcommand){
			.name = source->name,
			.summary = source->summary,
			.synopsis = *source->operands
					    ? fl_sprintf("[OPTION...] %s",
							 source->operands)
					    : "[OPTION...]",
			.examples = source->examples,
			.options = source->options,
		};
		word_list[n] = &words[n];
		built[n] = source->name;
	}
	for (size_t i = 0; left_out[i].name; i++)
		built[n++] = left_out[i].name; /* near enough to say why */
}

static const struct fl_source *named; /* by the first word */

static int decline(const char *type, struct fl_error *err)
{
	return named && named->declines ? named->declines(type, err) : 0;
}

/* A list of sources, each for what those before it do not have. */
static const struct fl_subcommand *find_list(const char *word,
					     struct fl_error *err)
{
	static struct fl_subcommand list;
	const struct fl_source *source = fl_fallback_find(word, err);

	if (!source)
		return NULL;
	list = (struct fl_subcommand){
		.name = source->name,
		.summary = source->summary,
		.synopsis = "[OPTION...] SYMBOL...",
		.examples = source->examples,
		.options = source->options,
	};
	return &list;
}

static const struct fl_subcommand *find_word(const char *word,
					     struct fl_error *err)
{
	size_t len = strcspn(word, ",:");
	const char *near;

	for (size_t i = 0; word_list[i]; i++)
		if (strcmp(word_list[i]->name, word) == 0) {
			named = fl_source_find(word);
			return word_list[i];
		}
	for (size_t i = 0; left_out[i].name; i++)
		if (strlen(left_out[i].name) == len &&
		    strncmp(left_out[i].name, word, len) == 0) {
			fl_error_set(err, FL_ERR_USAGE,
				     "source '%s' is left out of this build, "
				     "which was made without %s: scripts/setup "
				     "installs it, make builds anew",
				     left_out[i].name, left_out[i].lacks);
			return NULL;
		}
	if (fl_fallback_is(word))
		return find_list(word, err);
	if (strncmp(word, "csv:", 4) == 0)
		fl_error_set(err, FL_ERR_USAGE,
			     "'%s' stands in a list of sources only; fl-fetch "
			     "csv %s/*.csv reads the files",
			     fl_show(word, strlen(word), 100),
			     fl_show(word + 4, strlen(word + 4), 100));
	if (err->code)
		return NULL;
	near = fl_nearest(word, built);
	fl_error_set(err, FL_ERR_USAGE,
		     near ? "unknown source '%s' (did you mean '%s'?); see "
			    "fl-fetch --list-sources"
			  : "unknown source '%s'; see fl-fetch --list-sources",
		     fl_show(word, strlen(word), 60), near);
	return NULL;
}

static const struct fl_command command = {
	.name = "fl-fetch",
	.summary = "get market data, news and logs as records, one JSON object "
		   "a line",
	.synopsis =
		"SOURCE[,SOURCE...] [OPTION...] [SYMBOL... | FILE... | PLACE]\n--list-sources\n--quota",
	.examples =
		"fl-fetch yahoo AAPL MSFT\n"
		"fl-fetch yahoo --interval 1h --range 60d AAPL --as csv > "
		"aapl.csv\n"
		"fl-fetch csv prices/*.csv.gz --tz America/New_York\n"
		"fl-fetch csv aapl.csv --symbol AAPL --from 2024-01-01 --to "
		"2025-01-01 | fl-clean | fl-load lake.db\n"
		"fl-fetch store lake.db --symbol AAPL --last 30\n"
		"fl-fetch store lake.db --list\n"
		"fl-fetch sim --speed 60\n"
		"fl-fetch sim --resume lake.db --pipeline p | fl-clean | "
		"fl-load --pipeline p lake.db",
	.notes = "--to is exclusive: --from 2024-01-01 --to 2025-01-01 is all "
		 "of 2024. A date\n"
		 "without a time is midnight in --tz; bars of a day and longer "
		 "are compared by\n"
		 "their date. --last N keeps N records of each type and symbol "
		 "in memory.",
	.options = options,
	.subcommand = find_word,
	.subcommands = word_list,
};

/* --- the loop
 * ------------------------------------------------------------------ */

struct fetch {
	struct fl_run *run;
	struct fl_io *io;
	const struct fl_source *source;
	struct fl_writer *out;
	void *state;
	struct fl_pick *pick;           /* NULL: all is wanted */
	struct fl_marks *marks;         /* NULL: no --resume */
	struct fl_positions *positions; /* NULL: no --state */
	struct fl_mark held;            /* where the pipeline stands */
	struct fl_start *starts;
	struct fl_ask ask;
	uint64_t rejected; /* of them counted as read */
	int64_t now_ns;    /* what --range, now and -7d go by */
};

static int write_line(void *arg, const char *bytes, size_t len,
		      struct fl_error *err)
{
	struct fetch *fetch = arg;

	/* The writer has it even when it cannot flush what it has. */
	fetch->io->counts.used++;
	return fl_writer_text(fetch->out, bytes, len, err);
}

/* Warm-up passes uncounted, as marks do, but is selected like the rest. */
static int write_warm(struct fetch *fetch, const struct fl_item *item,
		      struct fl_error *err)
{
	enum fl_picked picked = FL_PICK_YES;
	uint64_t dropped = 0;

	if (fetch->pick &&
	    fl_pick_item(fetch->pick, item, &picked, &dropped, err) < 0)
		return -1;
	return picked == FL_PICK_YES
		       ? fl_writer_control(fetch->out, item->bytes, item->len,
					   err)
		       : 0;
}

static int write_item(struct fetch *fetch, const struct fl_item *item,
		      struct fl_error *err)
{
	struct fl_counts *counts = &fetch->io->counts;
	enum fl_picked picked;

	if (item->lines) {
		counts->in += item->lines;
		counts->used += item->lines;
		return fl_writer_lines(fetch->out, item->bytes, item->len,
				       item->lines, err);
	}
	counts->in++;
	if (!fetch->pick)
		return write_line(fetch, item->bytes, item->len, err);
	if (fl_pick_item(fetch->pick, item, &picked, &counts->filtered, err) <
	    0)
		return -1;
	if (picked == FL_PICK_YES)
		return write_line(fetch, item->bytes, item->len, err);
	if (picked == FL_PICK_NO)
		counts->filtered++;
	return 0;
}

/* What was written is out, then the file says so. */
static int save(struct fetch *fetch, struct fl_error *err)
{
	if (fl_writer_flush(fetch->out, err) < 0)
		return -1;
	return fl_positions_save(fetch->positions, err);
}

static int take(struct fetch *fetch, const struct fl_item *item,
		struct fl_error *err)
{
	if (fetch->marks && fl_marks_before(fetch->marks, item, err) < 0)
		return -1;
	if (item->bytes &&
	    (item->warm ? write_warm : write_item)(fetch, item, err) < 0)
		return -1;
	if (fetch->marks && fl_marks_after(fetch->marks, item, err) < 0)
		return -1;
	if (fetch->positions)
		fl_positions_move(fetch->positions, item);
	if (fetch->positions && fl_positions_due(fetch->positions) &&
	    save(fetch, err) < 0)
		return -1;
	if (item->bytes)
		fetch->run->event_ns = item->ts_ns;
	fl_run_tick(fetch->run);
	return 0;
}

/* Nothing comes for now: whoever reads us gets what there is. */
static int idle(struct fetch *fetch, struct fl_error *err)
{
	fl_run_tick(fetch->run);
	if (fetch->marks && fl_marks_idle(fetch->marks, err) < 0)
		return -1;
	if (fetch->positions && fl_positions_due(fetch->positions))
		return save(fetch, err);
	return fl_writer_idle(fetch->out, err);
}

static int pump(struct fetch *fetch, struct fl_error *err)
{
	for (;;) {
		struct fl_item item = { .bytes = NULL };
		int got = fetch->source->next(fetch->state, &item, err);

		/* A row that the source refused was read as well. */
		fetch->io->counts.in +=
			fetch->io->counts.rejected - fetch->rejected;
		fetch->rejected = fetch->io->counts.rejected;
		if (got <= 0)
			return got;
		if ((got == 2 ? idle(fetch, err) : take(fetch, &item, err)) < 0)
			return -1;
	}
}

/* --- resuming
 * -------------------------------------------------------------------- */

static int check_resume(const struct fetch *fetch, struct fl_error *err)
{
	struct fl_buf able = FL_BUF_INIT;

	if (!fl_resume_asked.place && fl_resume_asked.pipeline)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--pipeline goes with --resume PLACE, the "
				    "store that keeps its positions");
	if (fl_resume_asked.place && option.state)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--resume and --state exclude each other: "
				    "positions are kept in one place");
	if (!fl_resume_asked.place && !option.state)
		return 0;
	if (fl_resume_asked.place &&
	    (!fl_resume_asked.pipeline || !*fl_resume_asked.pipeline))
		return fl_error_set(err, FL_ERR_USAGE,
				    "--resume needs --pipeline NAME, the name "
				    "under which '%s' keeps positions",
				    fl_show(fl_resume_asked.place,
					    strlen(fl_resume_asked.place),
					    200));
	if (!fetch->source->resumes) {
		for (size_t i = 0; fl_sources[i]; i++)
			if (fl_sources[i]->resumes)
				fl_buf_printf(&able, "%s%s",
					      able.len ? ", " : "",
					      fl_sources[i]->name);
		fl_error_set(err, FL_ERR_USAGE,
			     "source '%s' cannot resume (these can: %s)",
			     fetch->source->name, fl_buf_text(&able));
		fl_buf_release(&able);
		return -1;
	}
	if (fl_selects.last)
		return fl_error_set(
			err, FL_ERR_USAGE,
			"--last and --resume or --state exclude each "
			"other: "
			"the newest records are known at the end "
			"only");
	if (fl_resume_asked.place && fl_writer_as(fetch->out) != FL_AS_NDJSON)
		return fl_error_set(
			err, FL_ERR_USAGE,
			"--resume writes marks, which only NDJSON "
			"carries: send it to fl-load --pipeline "
			"%s %s",
			fl_show(fl_resume_asked.pipeline,
				strlen(fl_resume_asked.pipeline), 100),
			fl_show(fl_resume_asked.place,
				strlen(fl_resume_asked.place), 200));
	return 0;
}

/* Ask the store, tell the source, open the stream of marks. */
static int begin_marks(struct fetch *fetch, struct fl_error *err)
{
	struct fl_mark *held = &fetch->held;

	if (!fl_resume_asked.place && !option.state)
		return 0;
	fetch->run->pipeline = fl_resume_asked.pipeline;
	if ((option.state ? fl_positions_open(&fetch->positions, option.state,
					      held, err)
			  : fl_marks_ask(held, fl_resume_asked.place,
					 fl_resume_asked.pipeline, err)) < 0)
		return -1;
	fetch->starts =
		fl_realloc(NULL, held->count + 1, sizeof(*fetch->starts));
	for (size_t i = 0; i < held->count; i++)
		fetch->starts[i] =
			(struct fl_start){ held->at[i].origin, held->at[i].to,
					   held->at[i].rt };
	fetch->ask.starts = fetch->starts;
	fetch->ask.start_count = held->count;
	fetch->ask.marked = true;
	fetch->ask.pipeline = fl_resume_asked.pipeline;
	fetch->ask.warm_up_ns =
		fl_resume_asked.place ? fl_resume_asked.warm_up_ns : 0;
	return 0;
}

/* --- one source
 * ------------------------------------------------------------------ */

static void pass_over(void *arg, struct fl_error *err)
{
	fl_run_pass_over(arg, err);
}

static void tell(void *arg, const char *text)
{
	fl_run_tell(arg, text);
}

/* It is now, or when that was recorded which is to be played. */
static int set_clock(struct fetch *fetch, struct fl_error *err)
{
	int got = 0;

	fetch->now_ns = fetch->run->started_ns;
	if (!fetch->source->polled)
		return 0;
	got = fl_polled_clock(&fetch->now_ns, err);
	/* Who is restarted at once asks the same as before. */
	if (got == 0 && (fl_resume_asked.place || option.state)) {
		fetch->now_ns -= fetch->now_ns % FL_MINUTE;
		got = 1;
	}
	if (got == 1)
		got = fl_run_as_of(fetch->run, fetch->now_ns, err);
	return got < 0 ? -1 : 0;
}

static void make_ask(struct fetch *fetch)
{
	fetch->ask = (struct fl_ask){
		.io = fetch->io,
		.store = fl_run_setting(fetch->run, "store"),
		.operands = fetch->run->operands,
		.types = fl_selects.types.count ? fl_selects.types.items : NULL,
		.symbols = fl_selects.symbols.count ? fl_selects.symbols.items
						    : NULL,
		.from = fl_selects.from,
		.to = fl_selects.to,
		.all = fl_selects.all,
		.last = fl_selects.last,
		.now_ns = fetch->now_ns,
		.pass_over = pass_over,
		.pass_over_arg = fetch->run,
		.tell = tell,
		.tell_arg = fetch->run,
		.version = fl_run_version,
	};
}

/* Does the list "bar, quote" hold the word? */
static bool in_list(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (size_t len; *list; list += len + strspn(list + len, ", ")) {
		len = strcspn(list, ", ");
		if (len == n && strncmp(list, word, n) == 0)
			return true;
	}
	return false;
}

/* What a source never gives would be an empty result that looks like one. A
 * store may hold anything. */
static int check_types(const struct fetch *fetch, struct fl_error *err)
{
	const struct fl_source *source = fetch->source;
	const char *const *types = fetch->ask.types;

	if (source->selects)
		return 0;
	for (; types && *types; types++) {
		if (!in_list(source->types, *types))
			return fl_error_set(err, FL_ERR_USAGE,
					    "%s gives %s; no %s", source->name,
					    source->types, *types);
	}
	return 0;
}

static int fetch_all(struct fetch *fetch, struct fl_error *err)
{
	if (check_types(fetch, err) < 0 || check_resume(fetch, err) < 0)
		return -1;
	if (!fetch->source->selects &&
	    fl_pick_open(&fetch->pick, &fetch->ask, err) < 0)
		return -1;
	if (begin_marks(fetch, err) < 0)
		return -1;
	fetch->ask.runs = !fetch->pick && !fetch->ask.marked &&
			  fl_writer_is_plain(fetch->out);
	if (fetch->source->open(&fetch->state, &fetch->ask, err) < 0)
		return -1;
	/* Only now: a source that cannot start writes nothing. */
	if (fl_resume_asked.place &&
	    fl_marks_open(&fetch->marks, fetch->io, fetch->out, &fetch->held,
			  fl_resume_asked.every, fl_resume_asked.every_ns,
			  err) < 0)
		return -1;
	if (pump(fetch, err) < 0)
		return -1;
	if (fetch->pick &&
	    fl_pick_each(fetch->pick, write_line, fetch, err) < 0)
		return -1;
	if (fetch->positions && save(fetch, err) < 0)
		return -1;
	return fetch->marks ? fl_marks_end(fetch->marks, err) : 0;
}

/* --- --list and --list-sources
 * ---------------------------------------------------- */

enum {
	LIST_TYPE,
	LIST_SYMBOL,
	LIST_INTERVAL,
	LIST_COUNT,
	LIST_FIRST,
	LIST_LAST,
	LIST_COLUMNS
};

struct listing {
	struct fetch *fetch;
	struct fl_json json;
	char *(*rows)[LIST_COLUMNS];
	size_t count, cap;
};

static const char *const titles[LIST_COLUMNS] = { "TYPE",  "SYMBOL", "INTERVAL",
						  "COUNT", "FIRST",  "LAST" };

static char *text_of(const struct fl_json *json, uint32_t object,
		     const char *key)
{
	uint32_t at = fl_json_find(json, object, key, strlen(key));

	if (!at)
		return fl_strdup("");
	return fl_strndup(json->toks[at].text, json->toks[at].len);
}

/* A time as a person reads it: only the date where all times are midnights. */
static char *time_of(const struct listing *list, const char *text, bool dated)
{
	char shown[FL_TIME_TEXT];
	int64_t ns;

	if (fl_time_parse(text, strlen(text), &ns) == FL_TIME_BAD)
		return fl_strdup(text);
	if (dated)
		return fl_strndup(text, 10);
	ns += (int64_t)fl_zone_offset(list->fetch->io->zone, ns) * FL_SECOND;
	fl_time_print(ns, shown);
	shown[10] = ' ';
	return fl_strndup(shown, 19);
}

static int list_row(void *arg, const char *bytes, size_t len,
		    struct fl_error *err)
{
	static const char midnight[] = "T00:00:00.000Z";
	struct listing *list = arg;
	struct fl_note note;
	char **row, *grouped = NULL, *first, *last;
	uint32_t by, values;
	char number[32];
	bool dated;

	if (fl_writer_as(list->fetch->out) != FL_AS_TABLE)
		return fl_writer_text(list->fetch->out, bytes, len, err);
	if (fl_json_parse(&list->json, bytes, len, &note) != FL_REASON_NONE)
		FL_BUG("a summary that is not JSON");
	if (list->count == list->cap) {
		list->cap = list->cap ? 2 * list->cap : 64;
		list->rows =
			fl_realloc(list->rows, list->cap, sizeof(*list->rows));
	}
	row = list->rows[list->count++];
	by = fl_json_find(&list->json, 0, "by", 2);
	values = fl_json_find(&list->json, 0, "values", 6);
	row[LIST_TYPE] = text_of(&list->json, by, "type");
	row[LIST_SYMBOL] = text_of(&list->json, by, "symbol");
	row[LIST_INTERVAL] = text_of(&list->json, by, "interval");
	grouped = text_of(&list->json, values, "count");
	row[LIST_COUNT] =
		fl_strdup(fl_grouped(strtoull(grouped, NULL, 10), number));
	first = text_of(&list->json, values, "first");
	last = text_of(&list->json, values, "last");
	dated = strcmp(first + strcspn(first, "T"), midnight) == 0 &&
		strcmp(last + strcspn(last, "T"), midnight) == 0;
	row[LIST_FIRST] = time_of(list, first, dated);
	row[LIST_LAST] = time_of(list, last, dated);
	free(grouped);
	free(first);
	free(last);
	list->fetch->io->counts.out++;
	return 0;
}

static int print_listing(struct listing *list, struct fl_error *err)
{
	struct fl_buf text = FL_BUF_INIT;
	size_t widths[LIST_COLUMNS];
	int result;

	for (int c = 0; c < LIST_COLUMNS; c++) {
		widths[c] = strlen(titles[c]);
		for (size_t i = 0; i < list->count; i++)
			if (strlen(list->rows[i][c]) > widths[c])
				widths[c] = strlen(list->rows[i][c]);
	}
	for (size_t i = 0; list->count && i <= list->count; i++) {
		for (int c = 0; c < LIST_COLUMNS; c++) {
			const char *cell = i ? list->rows[i - 1][c] : titles[c];
			int width = c == LIST_LAST ? 0 : (int)widths[c];

			fl_buf_printf(&text, "%*s%s",
				      c == LIST_COUNT ? width : -width, cell,
				      c == LIST_LAST ? "\n" : "  ");
		}
	}
	result = fl_write_all(1, fl_buf_text(&text), text.len,
			      "standard output", err);
	fl_buf_release(&text);
	return result;
}

/* A list is made, not read. */
static void list_account(const struct fl_run *run, struct fl_buf *out)
{
	char text[32];

	fl_buf_printf(out, "%s out", fl_grouped(run->io.counts.out, text));
}

/* What the source holds. returns 1 when that was asked for, else 0; -1 */
static int list_held(struct fetch *fetch, struct fl_error *err)
{
	struct listing list = { .fetch = fetch };
	int got;

	if (!fetch->source->list)
		return 0;
	got = fetch->source->list(&fetch->ask, list_row, &list, err);
	if (got != 0)
		fetch->run->account = list_account;
	if (got > 0 && fl_writer_as(fetch->out) == FL_AS_TABLE &&
	    print_listing(&list, err) < 0)
		got = -1;
	for (size_t i = 0; i < list.count; i++)
		for (int c = 0; c < LIST_COLUMNS; c++)
			free(list.rows[i][c]);
	free(list.rows);
	fl_json_release(&list.json);
	return got;
}

static int list_sources(struct fetch *fetch, struct fl_error *err)
{
	struct fl_buf line = FL_BUF_INIT;
	char now[FL_TIME_TEXT];
	int result = 0;

	fetch->run->account = list_account;
	fl_time_print(fetch->run->started_ns / 1000000 * 1000000, now);
	for (size_t i = 0; fl_sources[i] && result == 0; i++) {
		const struct fl_source *source = fl_sources[i];

		fl_buf_reset(&line);
		fl_buf_printf(&line,
			      "{\"type\":\"stat\",\"ts\":\"%s\",\"provider\":"
			      "\"fl-fetch\",\"stat\":\"source\",\"subject\":"
			      "\"%s\",\"by\":{\"types\":\"%s\",\"resumes\":%s,"
			      "\"summary\":",
			      now, source->name, source->types,
			      source->resumes ? "true" : "false");
		fl_buf_json_string(&line, source->summary,
				   strlen(source->summary));
		if (source->home) {
			fl_buf_puts(&line, ",\"home\":");
			fl_buf_json_string(&line, source->home,
					   strlen(source->home));
		}
		fl_buf_puts(&line, "},\"values\":{}}");
		result = fl_writer_text(fetch->out, line.data, line.len, err);
	}
	fl_buf_release(&line);
	return result;
}

static int put_record(void *arg, const char *bytes, size_t len,
		      struct fl_error *err)
{
	return fl_writer_text(arg, bytes, len, err);
}

static int list_quota(struct fetch *fetch, struct fl_error *err)
{
	const char *limit = fl_run_setting(fetch->run, "limit");
	struct fl_buf text = FL_BUF_INIT;
	int result;

	fetch->run->account = list_account;
	if (fl_writer_as(fetch->out) != FL_AS_TABLE)
		return fl_quota_each(limit, fetch->run->started_ns, put_record,
				     fetch->out, err);
	result = fl_quota_table(limit, &text, err);
	if (result == 0)
		result = fl_write_all(1, fl_buf_text(&text), text.len,
				      "standard output", err);
	fl_buf_release(&text);
	return result;
}

int main(int argc, char **argv)
{
	struct fl_run run;
	struct fl_error err = { .code = FL_OK };
	struct fetch fetch = { .run = &run, .io = &run.io };
	int listed;

	make_words();
	fl_selects_declined = decline;
	fl_run_begin(&run, &command, argc, argv);
	if (!run.sub && !option.list_sources && !option.quota) {
		fl_error_set(
			&err, FL_ERR_USAGE,
			"what from? fl-fetch csv FILE.csv, or fl-fetch sim "
			"-n 10 (fl-fetch --list-sources names them all)");
		goto done;
	}
	if (fl_writer_open(&fetch.out, &run.io, "-", &err) < 0)
		goto done;
	if (option.list_sources) {
		list_sources(&fetch, &err);
		goto done;
	}
	if (option.quota) {
		list_quota(&fetch, &err);
		goto done;
	}
	fetch.source = fl_fallback_is(run.sub->name)
			       ? fl_fallback_find(run.sub->name, &err)
			       : fl_source_find(run.sub->name);
	if (set_clock(&fetch, &err) < 0)
		goto done;
	make_ask(&fetch);
	listed = list_held(&fetch, &err);
	if (listed == 0)
		fetch_all(&fetch, &err);
done:
	if (fetch.source && fetch.source->tell)
		fetch.source->tell(fetch.state, run.also, sizeof(run.also));
	if (fetch.source)
		fetch.source->close(fetch.state);
	fl_marks_close(&fetch.marks);
	fl_positions_close(&fetch.positions);
	fl_pick_close(&fetch.pick);
	fl_mark_release(&fetch.held);
	free(fetch.starts);
	fl_writer_close(&fetch.out, &err);
	return fl_run_end(&run, &err);
}
