/* group: see group.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/group.h"

#include <ctype.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/time.h"
#include "base/zone.h"
#include "cli/help.h"
#include "cli/run.h"
#include "rec/type.h"

#define WORKERS_MAX 256

struct fl_common fl_common;
struct fl_selects fl_selects = { .from = FL_TIME_NONE, .to = FL_TIME_NONE };

static struct {
	const char *rejects;
	uint64_t max_rejects;
	double max_reject_share;
	bool keep_going;
	uint64_t jobs;
} reads = { .max_rejects = UINT64_MAX, .max_reject_share = -1 };

static struct {
	int as; /* enum fl_as */
	const char *fields, *zone;
} writes;

static struct {
	const char *from, *to, *range;
} times;

/* One of words, which stand in the order of an enum. */
static int take_word(int *target, const char *const *words, const char *option,
		     const char *value, struct fl_error *err)
{
	const char *near;
	char list[100] = "";

	for (int i = 0; words[i]; i++) {
		if (strcmp(value, words[i]) == 0) {
			*target = i;
			return 0;
		}
	}
	near = fl_nearest(value, words);
	if (near)
		return fl_error_set(err, FL_ERR_USAGE,
				    "%s: unknown '%s' (did you mean '%s'?)",
				    option, fl_show(value, strlen(value), 80),
				    near);
	for (int i = 0; words[i]; i++) {
		if (i)
			strncat(list, words[i + 1] ? ", " : " or ",
				sizeof(list) - strlen(list) - 1);
		strncat(list, words[i], sizeof(list) - strlen(list) - 1);
	}
	return fl_error_set(err, FL_ERR_USAGE, "%s takes %s, not '%s'", option,
			    list, fl_show(value, strlen(value), 80));
}

static int take_stats(void *target, const char *value, struct fl_error *err)
{
	static const char *const words[] = { "auto", "text", "json", "none",
					     NULL };
	int stats;

	if (take_word(&stats, words, "--stats", value, err) < 0)
		return -1;
	*(enum fl_stats *)target = (enum fl_stats)stats;
	return 0;
}

static int take_as(void *target, const char *value, struct fl_error *err)
{
	static const char *const words[] = { "auto", "ndjson", "csv", "table",
					     NULL };

	return take_word(target, words, "--as", value, err);
}

/* N, P% or a share such as 0.01 */
static int take_max_rejects(void *target, const char *value,
			    struct fl_error *err)
{
	size_t len = strlen(value);
	bool percent = len && value[len - 1] == '%';
	size_t digits = strspn(value, "0123456789.");
	double share;
	char *end;

	(void)target;
	reads.max_rejects = UINT64_MAX;
	reads.max_reject_share = -1;
	/* Twenty digits are more than 64 bits hold, and no count of lines. */
	if (len && digits == len && len < 20 && !strchr(value, '.')) {
		reads.max_rejects = strtoull(value, NULL, 10);
		return 0;
	}
	share = strtod(value, &end);
	if (percent)
		share /= 100;
	if (digits && digits == len - percent && end == value + digits &&
	    share >= 0 && share <= 1) {
		reads.max_reject_share = share;
		return 0;
	}
	return fl_error_set(err, FL_ERR_USAGE,
			    "--max-rejects takes a number, a percentage or a "
			    "share (10, 1%% or 0.01), not '%s'",
			    fl_show(value, len, 80));
}

const struct fl_option fl_options_common[] = {
	FL_OPT_FLAG('q', "quiet", &fl_common.quiet,
		    "no account and no progress; errors only"),
	FL_OPT_FLAG('v', "verbose", &fl_common.verbose,
		    "tell what is done; the account in any case"),
	{ .kind = FL_OPTION_CALL,
	  .name = "stats",
	  .arg = "auto|text|json|none",
	  .target = &fl_common.stats,
	  .take = take_stats,
	  .words = "auto text json none",
	  .help = "the account at the end, on standard error; auto: when that "
		  "is a terminal, or something was rejected or failed [auto]" },
	FL_OPT_WORD(0, "runs", "FILE", "@file", &fl_common.runs,
		    "append the account to FILE, as a record"),
	FL_OPT_WORD(0, "config", "FILE", "@file", &fl_common.config,
		    "read settings from FILE "
		    "[~/.config/financelake/config]"),
	FL_OPT_FLAG(0, "show-config", &fl_common.show_config,
		    "show which settings hold and where each comes from"),
	FL_OPT_FLAG(0, "help", &fl_common.help, "show this help"),
	FL_OPT_FLAG(0, "version", &fl_common.version, "show the version"),
	FL_OPT_FLAG(0, "help-man", &fl_common.help_man, NULL),
	FL_OPT_TEXT(0, "help-completion", "bash|zsh",
		    &fl_common.help_completion, NULL),
	FL_OPT_END,
};

const struct fl_option fl_options_reads[] = {
	FL_OPT_WORD(0, "rejects", "FILE|fd:N|inline", "@file", &reads.rejects,
		    "keep what is refused, with the reason: append it to FILE, "
		    "write it to descriptor N, or pass it on in the stream "
		    "[counted only; inline where marks come]"),
	FL_OPT_CALL(0, "max-rejects", "N|P%|SHARE", take_max_rejects, NULL,
		    "up to so many rejects are fine (status 0), one more ends "
		    "the run (status 6) [no limit, status 1]"),
	FL_OPT_FLAG(0, "keep-going", &reads.keep_going,
		    "go on with the next file when one fails"),
	FL_OPT_END,
};

const struct fl_option fl_options_jobs[] = {
	FL_OPT_U64('j', "jobs", "N", &reads.jobs,
		   "work in N threads [as many as there are cores]"),
	FL_OPT_END,
};

const struct fl_option fl_options_writes[] = {
	{ .kind = FL_OPTION_CALL,
	  .name = "as",
	  .arg = "auto|ndjson|csv|table",
	  .target = &writes.as,
	  .take = take_as,
	  .words = "auto ndjson csv table",
	  .help = "how records are written; auto: a table on a terminal, else "
		  "NDJSON [auto]" },
	FL_OPT_TEXT(0, "fields", "A,B.C", &writes.fields,
		    "write these fields only, in this order"),
	FL_OPT_WORD(0, "tz", "ZONE", "@zone", &writes.zone,
		    "time zone of dates without one, and of tables, as in "
		    "America/New_York [UTC]"),
	FL_OPT_END,
};

const struct fl_option fl_options_selects[] = {
	FL_OPT_WORDS(0, "type", "TYPE,...", "@type", &fl_selects.types,
		     "records of these types only"),
	FL_OPT_LIST(0, "symbol", "SYMBOL,...", &fl_selects.symbols,
		    "records of these symbols only"),
	FL_OPT_TEXT(0, "from", "TIME", &times.from,
		    "from this time on: 2026-01-31, 2026-01-31T09:30, "
		    "2026-01-31T09:30:00Z, now, today, yesterday, -7d"),
	FL_OPT_TEXT(0, "to", "TIME", &times.to,
		    "up to but without this time; all of 2024: "
		    "--from 2024-01-01 --to 2025-01-01"),
	FL_OPT_TEXT(0, "range", "DUR|ytd|max", &times.range,
		    "the last 5d, 3mo, 2y; since the year began; all there is"),
	FL_OPT_END,
};

const struct fl_option fl_options_last[] = {
	FL_OPT_U64(0, "last", "N", &fl_selects.last,
		   "the newest N of each symbol only"),
	FL_OPT_END,
};

const char *fl_group_title(const struct fl_option *table)
{
	/* Options of one title stand together. */
	static const char reading[] = "of what reads records";
	static const char selecting[] = "of what selects records";

	if (table == fl_options_reads || table == fl_options_jobs)
		return reading;
	if (table == fl_options_writes)
		return "of what writes records";
	if (table == fl_options_selects || table == fl_options_last)
		return selecting;
	return NULL;
}

bool fl_selects_any(void)
{
	return fl_selects.types.count || fl_selects.symbols.count ||
	       fl_selects.from != FL_TIME_NONE ||
	       fl_selects.to != FL_TIME_NONE || fl_selects.last;
}

/* --- what they set ---------------------------------------------------------
 */

static unsigned count_cores(void)
{
	cpu_set_t set;
	int count = 0;

	/* Those we may run on: fewer than the machine has in a container. */
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		count = CPU_COUNT(&set);
	return count > 0 ? (unsigned)count : 1;
}

static int apply_jobs(struct fl_io *io, struct fl_error *err)
{
	if (reads.jobs > WORKERS_MAX)
		return fl_error_set(
			err, FL_ERR_USAGE, "--jobs takes 1 to %d, not '%llu'",
			WORKERS_MAX, (unsigned long long)reads.jobs);
	io->workers = reads.jobs ? (unsigned)reads.jobs : count_cores();
	if (io->workers > WORKERS_MAX)
		io->workers = WORKERS_MAX;
	return 0;
}

/* Which names there are is the user's affair, but there must be some. */
static int check_fields(const char *fields, struct fl_error *err)
{
	if (!fields)
		return 0;
	if (!*fields)
		return fl_error_set(err, FL_ERR_USAGE, "--fields is empty");
	for (const char *at = fields;; at++) {
		size_t len = strcspn(at, ",");

		if (!len)
			return fl_error_set(
				err, FL_ERR_USAGE,
				"--fields: an empty item in '%s'",
				fl_show(fields, strlen(fields), 80));
		at += len;
		if (!*at)
			return 0;
	}
}

int (*fl_selects_declined)(const char *type, struct fl_error *err);

static int apply_types(struct fl_error *err)
{
	const char *words[FL_TYPE_COUNT + 1];
	size_t count = 0;

	for (; fl_types[count]; count++)
		words[count] = fl_types[count]->name;
	words[count] = NULL;
	for (uint64_t i = 0; i < fl_selects.types.count; i++) {
		const char *name = fl_selects.types.items[i], *near;

		if (fl_type_find(name, strlen(name)))
			continue;
		if (fl_selects_declined && fl_selects_declined(name, err) < 0)
			return -1;
		near = fl_nearest(name, words);
		if (near)
			return fl_error_set(err, FL_ERR_USAGE,
					    "--type: no record type '%s' (did "
					    "you mean '%s'?)",
					    fl_show(name, strlen(name), 80),
					    near);
		return fl_error_set(err, FL_ERR_USAGE,
				    "--type: no record type '%s'; see man 5 "
				    "fl-records",
				    fl_show(name, strlen(name), 80));
	}
	return 0;
}

/* Symbols are upper case in records; people need not type them so. */
static void apply_symbols(struct fl_arena *arena)
{
	for (uint64_t i = 0; i < fl_selects.symbols.count; i++) {
		const char *symbol = fl_selects.symbols.items[i];
		char *upper = fl_arena_strndup(arena, symbol, strlen(symbol));

		fl_selects.symbols.items[i] = upper;
		for (; *upper; upper++)
			*upper = (char)toupper((unsigned char)*upper);
	}
}

static int64_t year_begin(const struct fl_zone *zone, int64_t now_ns)
{
	int64_t wall = now_ns + fl_zone_offset(zone, now_ns) * FL_SECOND;
	struct fl_civil civil;
	int64_t ns;

	fl_civil_from_time(wall, &civil);
	civil = (struct fl_civil){ .year = civil.year, .month = 1, .day = 1 };
	return fl_zone_to_utc(zone, &civil, &ns, NULL) == FL_ZONE_RANGE
		       ? FL_TIME_NONE
		       : ns;
}

static int apply_range(const struct fl_zone *zone, int64_t now_ns,
		       struct fl_error *err)
{
	struct fl_span span;

	if (times.from || times.to)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--range goes without --from and --to");
	if (strcmp(times.range, "max") == 0) {
		fl_selects.all = true;
		return 0;
	}
	if (strcmp(times.range, "ytd") == 0) {
		fl_selects.from = year_begin(zone, now_ns);
		return 0;
	}
	if (fl_span_parse(times.range, &span, err) < 0)
		return fl_error_wrap(err, "--range");
	fl_selects.from = fl_time_minus_span(now_ns, &span);
	if (fl_selects.from == FL_TIME_NONE)
		return fl_error_set(
			err, FL_ERR_USAGE,
			"--range '%s' reaches too far back; say "
			"max for all there is",
			fl_show(times.range, strlen(times.range), 80));
	return 0;
}

static int apply_times(const struct fl_zone *zone, int64_t now_ns,
		       struct fl_error *err)
{
	if (times.range && apply_range(zone, now_ns, err) < 0)
		return -1;
	if (times.from && fl_time_from_user(times.from, zone, now_ns,
					    &fl_selects.from, err) < 0)
		return fl_error_wrap(err, "--from");
	if (times.to &&
	    fl_time_from_user(times.to, zone, now_ns, &fl_selects.to, err) < 0)
		return fl_error_wrap(err, "--to");
	if (times.from && times.to && fl_selects.from >= fl_selects.to)
		return fl_error_set(err, FL_ERR_USAGE,
				    "nothing lies between --from '%s' and --to "
				    "'%s', which is exclusive",
				    fl_show(times.from, strlen(times.from), 80),
				    fl_show(times.to, strlen(times.to), 80));
	return 0;
}

int fl_groups_apply(struct fl_io *io, int64_t now_ns, struct fl_arena *arena,
		    struct fl_error *err)
{
	io->as = (enum fl_as)writes.as;
	io->fields = writes.fields;
	io->rejects = reads.rejects;
	io->max_rejects = reads.max_rejects;
	io->max_reject_share = reads.max_reject_share;
	io->keep_going = reads.keep_going;
	if (apply_jobs(io, err) < 0 || check_fields(io->fields, err) < 0 ||
	    apply_types(err) < 0)
		return -1;
	if (writes.zone && fl_zone_open(writes.zone, &io->zone, err) < 0)
		return fl_error_wrap(err, "--tz");
	apply_symbols(arena);
	return apply_times(io->zone, now_ns, err);
}

int fl_groups_as_of(const struct fl_zone *zone, int64_t now_ns,
		    struct fl_error *err)
{
	fl_selects.from = fl_selects.to = FL_TIME_NONE;
	fl_selects.all = false;
	return apply_times(zone, now_ns, err);
}
