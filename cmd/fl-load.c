/* fl-load: records into a store.
 *
 * How batches and marks become transactions is lib/store/sink.c; here are the
 * options, the inputs, and the few things one can ask a store without loading.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "cli/run.h"
#include "io/reader.h"
#include "rec/record.h"
#include "store/sink.h"
#include "store/stands.h"

static struct {
	const char *pipeline;
	struct fl_list types;
	bool dry_run, merge, replace;
	const char *batch; /* NULL: what suits the store */
	/* Alone: */
	bool positions, migrate, print_schema, compact, verify;
	const char *forget;
	struct fl_list expire;
	const char *raw;
	int64_t older_than; /* --compact */
	bool repair;        /* --verify */
	bool yes;           /* --expire */
} option = { .older_than = FL_HOUR };

/* 64M: a number with one of K M G behind it. */
static bool parse_size(const char *text, size_t len, uint64_t *value,
		       bool *is_bytes)
{
	static const char units[] = "KMG";
	const char *unit = len ? memchr(units, text[len - 1], 3) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;

	*is_bytes = unit != NULL;
	*value = 0;
	for (size_t i = 0; i < len - (unit != NULL); i++) {
		if (text[i] < '0' || text[i] > '9' || i > 11)
			return false;
		*value = *value * 10 + (uint64_t)(text[i] - '0');
	}
	*value <<= shift;
	return *value > 0;
}

/* N|SIZE,DUR: what is not said stays as it is. */
static int read_batch(struct fl_sink_config *batch, const char *value,
		      struct fl_error *err)
{
	const char *comma = strchr(value, ',');
	size_t len = comma ? (size_t)(comma - value) : strlen(value);
	bool is_bytes;
	uint64_t size;

	if (!parse_size(value, len, &size, &is_bytes))
		return fl_error_set(err, FL_ERR_USAGE,
				    "'%s' is no batch: 10000,1s is at most "
				    "10,000 records or one second, 64M,5m at "
				    "most 64 MiB or five minutes",
				    fl_show(value, strlen(value), 60));
	batch->count = is_bytes ? 0 : size;
	if (is_bytes)
		batch->bytes = size;
	return comma ? fl_duration_parse(comma + 1, &batch->ns, err) : 0;
}

static int take_batch(void *target, const char *value, struct fl_error *err)
{
	struct fl_sink_config batch = { 0 };

	*(const char **)target = value;
	return read_batch(&batch, value, err);
}

static int take_age(void *target, const char *value, struct fl_error *err)
{
	return fl_duration_parse(value, target, err);
}

static const struct fl_option options[] = {
	FL_OPT_TEXT(0, "pipeline", "P", &option.pipeline,
		    "store the marks of pipeline P with the records: exactly "
		    "once; without, a mark is refused"),
	FL_OPT_LIST(0, "type", "T,...", &option.types,
		    "store records of these types only"),
	FL_OPT_CALL(0, "batch", "N|SIZE,DUR", take_batch, &option.batch,
		    "commit after N records, SIZE bytes or DUR, whichever is "
		    "first [10000,1s; a server 4M,1s; a lake 64M,5m]"),
	FL_OPT_FLAG(0, "merge", &option.merge,
		    "take parts of bars without marks; loaded twice they count "
		    "twice"),
	FL_OPT_FLAG(0, "replace", &option.replace,
		    "put whole bars in the place of those made of parts"),
	FL_OPT_FLAG(0, "dry-run", &option.dry_run,
		    "check and count, write nothing"),
	FL_OPT_FLAG(0, "positions", &option.positions,
		    "alone: print where each pipeline stands, as marks"),
	FL_OPT_TEXT(0, "forget", "P", &option.forget,
		    "alone: forget where pipeline P stands; its records stay"),
	FL_OPT_FLAG(0, "migrate", &option.migrate,
		    "alone: make the tables, or bring them up to date"),
	FL_OPT_FLAG(0, "print-schema", &option.print_schema,
		    "alone: print the tables as SQL"),
	FL_OPT_FLAG(0, "compact", &option.compact,
		    "alone: make one file of the many that a partition of a "
		    "lake has"),
	FL_OPT_CALL(0, "older-than", "DUR", take_age, &option.older_than,
		    "with --compact: of those written longer ago [1h]"),
	FL_OPT_FLAG(0, "verify", &option.verify,
		    "alone: read all of a lake and print what is damaged"),
	FL_OPT_FLAG(0, "repair", &option.repair,
		    "with --verify: write what can be read of it anew"),
	FL_OPT_LIST(0, "expire", "TYPE=DUR,...", &option.expire,
		    "alone: print the dates of a lake that are older, as in "
		    "log=90d,quote=2y"),
	FL_OPT_FLAG(0, "yes", &option.yes, "with --expire: remove them"),
	FL_OPT_TEXT(0, "raw", "PROVIDER", &option.raw,
		    "alone: keep files in a lake as they are, and print where"),
	FL_OPT_GROUP(fl_options_reads),
	FL_OPT_END,
};

static const struct fl_command command = {
	.name = "fl-load",
	.summary = "load records into a store",
	.synopsis = "[OPTION...] [PLACE [FILE...]]\n"
		    "--positions [--pipeline P] [PLACE]\n"
		    "--forget P [PLACE]\n"
		    "--migrate [PLACE]\n"
		    "--compact [--older-than DUR] [PLACE]\n"
		    "--verify [--repair] [PLACE]\n"
		    "--expire TYPE=DUR,... [--yes] [PLACE]\n"
		    "--raw PROVIDER PLACE [FILE...]\n"
		    "--print-schema [PLACE]",
	.options = options,
	.examples = "fl-fetch csv prices.csv | fl-clean | fl-load lake.db\n"
		    "fl-load lake.db ticks.ndjson.zst\n"
		    "fl-load lake/ ticks.ndjson.zst\n"
		    "fl-load s3://bucket/lake ticks.ndjson.zst\n"
		    "fl-load postgres:///lake ticks.ndjson.zst\n"
		    "fl-fetch sim --resume lake.db --pipeline s -n 1000 | "
		    "fl-load --pipeline s lake.db\n"
		    "fl-load --positions lake.db\n"
		    "fl-load --expire log=90d,quote=2y lake/\n"
		    "fl-load --print-schema",
	.notes = "PLACE is FILE.db, sqlite:FILE, DIR/ (with the slash: a "
		 "folder of compressed files), s3://BUCKET/PREFIX (the same "
		 "in a bucket), postgres://[USER@]HOST/DB or "
		 "mysql://[USER@]HOST/DB (MariaDB, too); "
		 "without one, what FL_STORE names.",
};

/* --- asked alone --------------------------------------------------------- */

/* What was done, in place of the account of a load. */
static struct fl_buf told;
/* The place as it may be shown. */
static char *shown;

static void tell(const struct fl_run *run, struct fl_buf *out)
{
	(void)run;
	fl_buf_puts(out, fl_buf_text(&told));
}

static int print_positions(const char *place, struct fl_error *err)
{
	struct fl_stands stands = FL_STANDS_INIT;
	struct fl_store *store = NULL;
	int result = fl_store_open(&store, place, FL_STORE_PEEK, err);

	if (option.pipeline)
		fl_stands_begin(&stands, option.pipeline);
	if (result == 0)
		result = store->ops->positions(store, option.pipeline,
					       fl_stands_add, &stands, err);
	if (result == 0)
		result = fl_stands_print(&stands, shown, &told, err);
	fl_stands_release(&stands);
	fl_store_close(&store);
	return result;
}

/* Pipelines as 'a', 'b': what there is when the one named is not. */
static int name_pipeline(void *arg, const struct fl_position *row,
			 struct fl_error *err)
{
	struct fl_buf *names = arg;
	char *name = fl_sprintf(
		"'%s'", fl_show(row->pipeline, strlen(row->pipeline), 60));

	(void)err;
	if (!names->len || !strstr(names->data, name)) {
		if (names->len)
			fl_buf_puts(names, ", ");
		fl_buf_puts(names, name);
	}
	free(name);
	return 0;
}

static int forget(const char *place, struct fl_error *err)
{
	struct fl_store *store = NULL;
	struct fl_buf names = { .max = 300 };
	uint64_t rows = 0;
	int result = fl_store_open(&store, place, FL_STORE_READ, err);

	if (result == 0)
		result = store->ops->positions(store, NULL, name_pipeline,
					       &names, err);
	fl_store_close(&store);
	if (result == 0)
		result = fl_store_open(&store, place, FL_STORE_WRITE, err);
	if (result == 0)
		result = store->ops->forget(store, option.forget, &rows, err);
	if (result == 0 && rows == 0)
		result = fl_error_set(
			err, FL_ERR_REFUSED,
			"no pipeline '%s' in '%s' (there is %s)",
			fl_show(option.forget, strlen(option.forget), 60),
			store->place, names.len ? names.data : "none");
	fl_buf_printf(&told, "'%s' has forgotten %llu position%s of '%s'",
		      shown, (unsigned long long)rows, rows == 1 ? "" : "s",
		      option.forget);
	fl_store_close(&store);
	fl_buf_release(&names);
	return result;
}

static int migrate(const char *place, struct fl_error *err)
{
	struct fl_store *store = NULL;
	int result = fl_store_open(&store, place, FL_STORE_WRITE, err);

	if (result == 0 && store->ops->tidy)
		result = store->ops->tidy(store, err);
	fl_buf_printf(&told, "the tables of '%s' are up to date", shown);
	fl_store_close(&store);
	return result;
}

/* Open what is there, and is not made by this; `has`: it can do what is asked.
 */
static int open_lake(struct fl_store **store, const char *place, bool write,
		     const char *doing,
		     bool (*has)(const struct fl_store_ops *),
		     struct fl_error *err)
{
	int result = fl_store_open(store, place, FL_STORE_READ, err);

	if (result == 0 && write) {
		fl_store_close(store);
		result = fl_store_open(store, place, FL_STORE_WRITE, err);
	}
	if (result == 0 && !has((*store)->ops))
		result = fl_error_set(err, FL_ERR_USAGE,
				      "'%s' is no lake: there is nothing to %s",
				      (*store)->place, doing);
	return result;
}

static bool compacts(const struct fl_store_ops *ops)
{
	return ops->compact != NULL;
}

static int compact(const char *place, struct fl_error *err)
{
	struct fl_compacted done = { 0 };
	struct fl_store *store = NULL;
	char before[32], after[32], records[32];
	int result = open_lake(&store, place, true, "compact", compacts, err);

	if (result == 0)
		result = store->ops->compact(
			store, fl_now_ns() - option.older_than, &done, err);
	if (done.partitions)
		fl_buf_printf(&told,
			      "%s file%s of '%s' %s %s now, with %s records",
			      fl_grouped(done.objects, before),
			      done.objects == 1 ? "" : "s", shown,
			      done.objects == 1 ? "is" : "are",
			      fl_grouped(done.partitions, after),
			      fl_grouped(done.records, records));
	else
		fl_buf_printf(&told, "nothing of '%s' is to be compacted",
			      shown);
	fl_store_close(&store);
	return result;
}

static bool verifies(const struct fl_store_ops *ops)
{
	return ops->verify != NULL;
}

static void print_line(void *arg, const char *text)
{
	struct fl_buf *out = arg;

	fl_buf_puts(out, text);
	fl_buf_putc(out, '\n');
}

/* What was found goes to standard output, whole. */
static int print_found(struct fl_buf *found, int result, struct fl_error *err)
{
	struct fl_error own = { .code = FL_OK };

	if (found->len &&
	    fl_write_all(STDOUT_FILENO, found->data, found->len,
			 "standard output", &own) < 0 &&
	    result == 0) {
		*err = own;
		result = -1;
	}
	fl_buf_release(found);
	return result;
}

static int verify(const char *place, struct fl_error *err)
{
	struct fl_verified done = { 0 };
	struct fl_store *store = NULL;
	struct fl_buf found = FL_BUF_INIT;
	char objects[32], records[32], damaged[32];
	int result = open_lake(&store, place, option.repair, "verify", verifies,
			       err);

	if (result == 0)
		result = store->ops->verify(store, option.repair, print_line,
					    &found, &done, err);
	fl_buf_printf(&told, "%s files of '%s' are good, with %s records",
		      fl_grouped(done.objects, objects), shown,
		      fl_grouped(done.records, records));
	if (done.mended)
		fl_buf_printf(&told, "; %s %s damaged and %s mended",
			      fl_grouped(done.mended, damaged),
			      done.mended == 1 ? "was" : "were",
			      done.mended == 1 ? "is" : "are");
	if (result == 0 && done.damaged > done.mended)
		result = fl_error_set(
			err, FL_ERR_DATA, "%s of %s files of '%s' %s damaged%s",
			fl_grouped(done.damaged - done.mended, damaged),
			fl_grouped(done.objects + done.damaged, objects), shown,
			done.damaged - done.mended == 1 ? "is" : "are",
			option.repair ? ""
				      : "; --verify --repair writes what can "
					"be read of them anew");
	fl_store_close(&store);
	return print_found(&found, result, err);
}

/* One file; "-": standard input. */
static int keep_file(struct fl_store *store, const char *path,
		     struct fl_buf *found, uint64_t *bytes,
		     struct fl_error *err)
{
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	uint64_t size;
	char *to;
	int result;

	if (fd < 0)
		return fl_error_set(err, FL_ERR_IO, "cannot open '%s': %s",
				    fl_show(path, strlen(path), 300),
				    strerror(errno));
	result = store->ops->keep(store, option.raw,
				  standard ? "standard-input" : path, fd, &to,
				  &size, err);
	if (!standard)
		close(fd);
	if (result < 0)
		return -1;
	fl_buf_printf(found, "%s%s%s\n", shown,
		      shown[strlen(shown) - 1] == '/' ? "" : "/", to);
	*bytes += size;
	free(to);
	return 0;
}

/* Open the lake, which need not be there yet. */
static int open_to_keep(struct fl_store **store, const char *place,
			struct fl_error *err)
{
	const struct fl_store_ops *ops;

	if (!*option.raw)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--raw wants the name of who the files are "
				    "from");
	if (fl_store_find(place, &ops, err) < 0)
		return -1;
	if (!ops->keep)
		return fl_error_set(err, FL_ERR_USAGE,
				    "'%s' is no lake: it keeps no files as "
				    "they are",
				    shown);
	return fl_store_open(store, place, FL_STORE_WRITE, err);
}

static int keep_raw(struct fl_run *run, const char *place, struct fl_error *err)
{
	struct fl_store *store = NULL;
	struct fl_buf found = FL_BUF_INIT;
	uint64_t files = 0, bytes = 0;
	char count[32], size[32];

	if (open_to_keep(&store, place, err) < 0 || !store)
		return -1;
	do {
		const char *path = run->operand_next < run->operand_count
					   ? run->operands[run->operand_next]
					   : "-";

		run->operand_next++;
		if (keep_file(store, path, &found, &bytes, err) < 0)
			break;
		files++;
	} while (run->operand_next < run->operand_count);
	fl_buf_printf(&told, "%s file%s of %s bytes kept in '%s'",
		      fl_grouped(files, count), files == 1 ? "" : "s",
		      fl_grouped(bytes, size), shown);
	fl_store_close(&store);
	return print_found(&found, err->code ? -1 : 0, err);
}

static bool expires(const struct fl_store_ops *ops)
{
	return ops->expire != NULL;
}

struct expired {
	struct fl_buf lines;
	uint64_t dates, objects;
};

static int add_expired(void *arg, const struct fl_expired *row,
		       struct fl_error *err)
{
	struct expired *expired = arg;
	char date[FL_TIME_TEXT];

	(void)err;
	fl_time_print(row->day * FL_DAY, date);
	fl_buf_printf(&expired->lines, "%s%s %.10s %llu file%s\n",
		      row->type->name, row->partial ? "_partial" : "", date,
		      (unsigned long long)row->objects,
		      row->objects == 1 ? "" : "s");
	expired->dates++;
	expired->objects += row->objects;
	return 0;
}

/* TYPE=DUR */
static int read_rule(const char *text, struct fl_expiry *rule,
		     struct fl_error *err)
{
	const char *equals = strchr(text, '=');
	struct fl_span span;

	rule->type =
		equals ? fl_type_find(text, (size_t)(equals - text)) : NULL;
	if (!rule->type)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--expire: '%s' is not a type and an age, "
				    "as in log=90d",
				    fl_show(text, strlen(text), 60));
	if (fl_span_parse(equals + 1, &span, err) < 0)
		return -1;
	rule->before = fl_time_minus_span(fl_now_ns(), &span);
	return 0;
}

static int expire(const char *place, struct fl_error *err)
{
	struct expired expired = { .dates = 0 };
	struct fl_expiry *rules =
		fl_zalloc(option.expire.count * sizeof(*rules));
	struct fl_store *store = NULL;
	char objects[32], dates[32];
	int result = 0;

	for (size_t i = 0; i < option.expire.count && result == 0; i++)
		result = read_rule(option.expire.items[i], &rules[i], err);
	if (result == 0)
		result = open_lake(&store, place, option.yes, "expire", expires,
				   err);
	if (result == 0)
		result = store->ops->expire(store, rules, option.expire.count,
					    option.yes, add_expired, &expired,
					    err);
	if (expired.dates)
		fl_buf_printf(&told, "%s file%s of %s date%s of '%s' %s",
			      fl_grouped(expired.objects, objects),
			      expired.objects == 1 ? "" : "s",
			      fl_grouped(expired.dates, dates),
			      expired.dates == 1 ? "" : "s", shown,
			      option.yes ? "removed"
					 : "too old; --yes removes them");
	else
		fl_buf_printf(&told, "nothing of '%s' is too old", shown);
	fl_store_close(&store);
	free(rules);
	return print_found(&expired.lines, result, err);
}

static int print_schema(const char *place, struct fl_error *err)
{
	const struct fl_store_ops *ops = fl_stores[0];
	struct fl_buf text = FL_BUF_INIT;
	int result;

	if (place && fl_store_find(place, &ops, err) < 0)
		return -1;
	if (!ops->schema)
		return fl_error_set(err, FL_ERR_USAGE,
				    "a place of the kind '%s' has no schema",
				    ops->name);
	ops->schema(&text);
	fl_buf_printf(&told, "the tables of a new %s store", ops->name);
	result = fl_write_all(STDOUT_FILENO, text.data, text.len,
			      "standard output", err);
	fl_buf_release(&text);
	return result;
}

/* --- loading ------------------------------------------------------------- */

struct load {
	struct fl_run *run;
	struct fl_store *store;
	struct fl_sink *sink;
	struct fl_sink_tally tally;
	const char *place;
};

static void put_count(struct fl_buf *out, const char *before, uint64_t value,
		      const char *after)
{
	char text[32];

	fl_buf_puts(out, before);
	fl_buf_puts(out, fl_grouped(value, text));
	fl_buf_puts(out, after);
}

static void account(const struct fl_run *run, struct fl_buf *out)
{
	const struct load *load = run->account_arg;
	const struct fl_counts *counts = &run->io.counts;
	const struct fl_sink_tally *tally = &load->tally;
	uint64_t stored =
		tally->fresh + tally->replaced + tally->merged + tally->added;
	double seconds = (double)(fl_monotonic_ns() - run->started_mono_ns) /
			 (double)FL_SECOND;

	put_count(out, "", counts->in, " in = ");
	if (option.dry_run) {
		put_count(out, "", stored, " good");
	} else if (tally->added) {
		put_count(out, "", stored, " stored");
	} else {
		put_count(out, "", stored, " stored (");
		put_count(out, "", tally->fresh, " new, ");
		put_count(out, "", tally->replaced, " replaced, ");
		put_count(out, "", tally->merged, " merged)");
	}
	put_count(out, " + ", counts->rejected, " rejected");
	if (counts->filtered)
		put_count(out, " + ", counts->filtered, " filtered");
	put_count(out, " + ", counts->uncommitted, " uncommitted; ");
	if (!option.dry_run)
		put_count(out, "", tally->commits,
			  tally->commits == 1 ? " commit, " : " commits, ");
	fl_buf_printf(out, "%.1f s, ", seconds);
	put_count(out, "",
		  seconds > 0 ? (uint64_t)((double)stored / seconds) : 0,
		  "/s, ");
	fl_buf_printf(out,
		      option.dry_run ? "nothing written to '%s'" : "into '%s'",
		      load->place);
}

static bool is_wanted(const struct fl_record *rec)
{
	for (uint64_t i = 0; i < option.types.count; i++) {
		if (strcmp(rec->type->name, option.types.items[i]) == 0)
			return true;
	}
	return option.types.count == 0;
}

static int load_input(struct load *load, struct fl_reader *in,
		      struct fl_error *err)
{
	struct fl_run *run = load->run;
	struct fl_record rec;
	int got;

	while ((got = fl_reader_next(in, &rec, err)) > 0) {
		if (got == 2) {
			if (fl_sink_idle(load->sink, err) < 0)
				return -1;
			continue;
		}
		fl_run_tick(run);
		if (!is_wanted(&rec)) {
			run->io.counts.filtered += !run->io.warm;
			continue;
		}
		if (rec.ts_ns > run->event_ns)
			run->event_ns = rec.ts_ns;
		if (fl_sink_put(load->sink, &rec, err) < 0)
			return -1;
	}
	return got;
}

static int load_inputs(struct load *load, struct fl_error *err)
{
	struct fl_run *run = load->run;
	struct fl_reader *in = NULL;
	const char *path;

	while ((path = fl_run_operand(run))) {
		int result = fl_reader_open(&in, &run->io, path, err);

		if (result == 0) {
			fl_reader_on_mark(in, fl_sink_mark, load->sink);
			fl_reader_on_idle(in, fl_sink_idle, load->sink);
			fl_reader_on_wait(in, fl_sink_patience, load->sink);
			result = load_input(load, in, err);
		}
		fl_reader_close(&in);
		if (result < 0)
			return -1;
	}
	return fl_sink_finish(load->sink, err);
}

static int load(struct fl_run *run, const char *place, struct fl_error *err)
{
	static struct load load; /* lives on for the account */
	struct fl_sink_config config = { .bytes = 64 << 20 };
	int result;

	load.run = run;
	load.place = shown;
	run->account = account;
	run->account_arg = &load;
	run->progress_what = shown;
	run->io.typed = "fl-load PLACE";
	run->pipeline = option.pipeline;
	result = fl_store_open(&load.store, place,
			       option.dry_run ? FL_STORE_PEEK : FL_STORE_WRITE,
			       err);
	if (result < 0)
		return -1;
	if (read_batch(&config, load.store->ops->batch, err) < 0 ||
	    (option.batch && read_batch(&config, option.batch, err) < 0))
		return -1;
	config.io = &run->io;
	config.store = load.store;
	config.dry = option.dry_run;
	config.merge = option.merge;
	load.store->replace = option.replace;
	config.pipeline = option.pipeline;
	result = fl_sink_open(&load.sink, &config, err);
	if (result == 0)
		result = load_inputs(&load, err);
	load.tally = *fl_sink_tally(load.sink);
	fl_sink_close(&load.sink);
	fl_store_close(&load.store);
	return result;
}

/* --- what was asked for -------------------------------------------------- */

static int check_types(struct fl_error *err)
{
	const char *names[FL_TYPE_COUNT + 1] = { NULL };

	for (size_t i = 0; fl_types[i]; i++)
		names[i] = fl_types[i]->name;
	for (uint64_t i = 0; i < option.types.count; i++) {
		const char *name = option.types.items[i];
		const char *near;

		if (fl_type_find(name, strlen(name)))
			continue;
		near = fl_nearest(name, names);
		return fl_error_set(err, FL_ERR_USAGE,
				    "unknown type '%s'%s%s%s",
				    fl_show(name, strlen(name), 60),
				    near ? " (did you mean '" : "",
				    near ? near : "", near ? "'?)" : "");
	}
	return 0;
}

/* One of the things that are asked alone, if any. */
static int check_alone(const struct fl_run *run, bool *alone,
		       struct fl_error *err)
{
	int count = option.positions + option.migrate + option.print_schema +
		    option.compact + option.verify + (option.expire.count > 0) +
		    (option.forget != NULL) + (option.raw != NULL);

	*alone = count > 0;
	if (count > 1)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--positions, --forget, --migrate, "
				    "--compact, --verify, --expire, --raw and "
				    "--print-schema go one at a time");
	if (option.repair && !option.verify)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--repair goes with --verify");
	if (option.yes && !option.expire.count)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--yes goes with --expire");
	if (*alone && !option.raw && run->operand_count > 1)
		return fl_error_set(err, FL_ERR_USAGE,
				    "'%s': nothing is loaded together with "
				    "--positions, --forget, --migrate, "
				    "--compact, --verify, --expire or "
				    "--print-schema",
				    fl_show(run->operands[1],
					    strlen(run->operands[1]), 100));
	return 0;
}

static int run_command(struct fl_run *run, struct fl_error *err)
{
	const char *place = NULL;
	bool alone;

	if (check_alone(run, &alone, err) < 0 || check_types(err) < 0)
		return -1;
	if (run->operand_count)
		place = run->operands[run->operand_next++];
	else
		place = fl_run_setting(run, "store");
	shown = place ? fl_store_mask(place) : NULL;
	if (alone)
		run->account = tell;
	if (option.print_schema)
		return print_schema(place, err);
	if (!place || !*place)
		return fl_error_set(err, FL_ERR_USAGE,
				    "which place? fl-load FILE.db, or set "
				    "FL_STORE");
	if (option.positions)
		return print_positions(place, err);
	if (option.forget)
		return forget(place, err);
	if (option.migrate)
		return migrate(place, err);
	if (option.compact)
		return compact(place, err);
	if (option.verify)
		return verify(place, err);
	if (option.expire.count)
		return expire(place, err);
	if (option.raw)
		return keep_raw(run, place, err);
	return load(run, place, err);
}

int main(int argc, char **argv)
{
	struct fl_run run;
	struct fl_error err = { .code = FL_OK };
	int status;

	fl_run_begin(&run, &command, argc, argv);
	run_command(&run, &err);
	status = fl_run_end(&run, &err);
	fl_buf_release(&told);
	free(shown);
	return status;
}
