/* fl-clean: valid, normal, unique records out of anything line-shaped.
 *
 * The work is in op/clean, which goes over blocks of lines on all cores; here
 * are its options and its inputs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "base/zone.h"
#include "cli/run.h"
#include "io/writer.h"
#include "op/clean.h"
#include "rec/record.h"

static struct fl_clean_config config = {
	.dedup_ns = 10 * FL_MINUTE,
	.dedup_memory = 32 << 20,
	.select = { .from = FL_TIME_NONE,
		    .to = FL_TIME_NONE,
		    .date_from = FL_TIME_NONE,
		    .date_to = FL_TIME_NONE },
};

static int take_dedup(void *target, const char *value, struct fl_error *err)
{
	if (strcmp(value, "0") == 0) {
		*(int64_t *)target = 0;
		return 0;
	}
	return fl_duration_parse(value, target, err);
}

static int take_where(void *target, const char *value, struct fl_error *err)
{
	return fl_select_where(target, value, err);
}

/* For the manual: fl-records.5 is made from the field tables. */
static int print_records(void *target, const char *value, struct fl_error *err)
{
	struct fl_buf page = FL_BUF_INIT;

	(void)target;
	(void)value;
	fl_types_manual(&page);
	if (fwrite(fl_buf_text(&page), 1, page.len, stdout) != page.len ||
	    fflush(stdout))
		return fl_error_set(err, FL_ERR_IO,
				    "cannot write standard output");
	exit(0);
}

static const struct fl_option options[] = {
	FL_OPT_CALL(0, "dedup", "DUR", take_dedup, &config.dedup_ns,
		    "drop equal content within DUR of event time, per series; "
		    "0 is off [10m]"),
	FL_OPT_SIZE(0, "dedup-memory", "SIZE", &config.dedup_memory,
		    "memory for that; when full the oldest go and the account "
		    "says so [32M]"),
	FL_OPT_TEXT(0, "jq", "EXPR|@FILE", &config.jq,
		    "jq program, before the check: one object or nothing"),
	FL_OPT_CALL(0, "where", "FIELD=OP.VALUE", take_where, &config.select,
		    "keep records for which it holds; OP: eq neq gt gte lt lte "
		    "in like is"),
	FL_OPT_FLAG(0, "coerce", &config.coerce, "read numbers out of strings"),
	FL_OPT_FLAG(0, "canonical", &config.canonical,
		    "rewrite every record in canonical form"),
	FL_OPT_FLAG(0, "retry", &config.retry,
		    "take rejects up again by their 'raw'"),
	FL_OPT_GROUP(fl_options_selects),
	FL_OPT_STREAM,
	FL_OPT_GROUP(fl_options_jobs),
	{ .kind = FL_OPTION_CALL,
	  .name = "help-records",
	  .take = print_records,
	  .help = "" },
	FL_OPT_END,
};

static const struct fl_command command = {
	.name = "fl-clean",
	.summary = "pass valid, normal and unique records, keep the rest with "
		   "the reason",
	.synopsis = "[OPTION...] [FILE...]",
	.options = options,
	.examples =
		"fl-fetch csv prices.csv | fl-clean | fl-load lake.db\n"
		"fl-clean --rejects bad.ndjson ticks.ndjson.zst > good.ndjson\n"
		"fl-clean --symbol AAPL --from -7d --where price=gt.100 < "
		"ticks.ndjson\n"
		"fl-clean --jq 'select(.size >= 100)' < ticks.ndjson\n"
		"fl-clean --retry --coerce bad.ndjson",
};

static int clean_input(void *arg, const char *path, struct fl_error *err)
{
	return fl_clean_input(arg, path, err);
}

int main(int argc, char **argv)
{
	struct fl_run run;
	struct fl_error err = { .code = FL_OK };
	struct fl_writer *out = NULL;
	struct fl_clean *clean = NULL;

	fl_run_begin(&run, &command, argc, argv);

	if (fl_selects.types.count)
		config.select.types = fl_selects.types.items;
	if (fl_selects.symbols.count)
		config.select.symbols = fl_selects.symbols.items;
	config.select.from = fl_selects.from;
	config.select.to = fl_selects.to;
	config.select.date_from = fl_zone_wall(run.io.zone, fl_selects.from);
	config.select.date_to = fl_zone_wall(run.io.zone, fl_selects.to);
	config.io = &run.io;
	config.event_ns = &run.event_ns;
	if (fl_writer_open(&out, &run.io, "-", &err) < 0)
		goto done;
	config.out = out;
	if (fl_clean_open(&clean, &config, &err) < 0)
		goto done;
	fl_run_inputs(&run, clean_input, clean, &err);
done:
	fl_clean_close(&clean);
	fl_select_release(&config.select);
	fl_writer_close(&out, &err);
	return fl_run_end(&run, &err);
}
