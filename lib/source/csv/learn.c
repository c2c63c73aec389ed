/* csv_learn: the first pass over a file, which settles what no row tells alone.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/log.h"
#include "source/csv/file.h"
#include "source/csv/step.h"

static const char *show(const char *text)
{
	return fl_show(text, strlen(text), 200);
}

static void learn_numbers(const struct fl_csv_file *file,
			  struct fl_csv_numbers *numbers,
			  const struct fl_csv_row *row)
{
	const struct fl_csv_plan *plan = &file->plan;

	for (size_t i = 0; i < plan->field_count; i++) {
		enum fl_kind kind =
			plan->type->fields[plan->fields[i].field].kind;
		size_t column = plan->fields[i].column;

		if ((kind == FL_NUMBER || kind == FL_SUM) &&
		    column < row->count)
			fl_csv_numbers_add(numbers, row->cells[column].text,
					   row->cells[column].len, row->line);
	}
}

/* Are the steps between a symbol's rows of any use? For the interval, and for
 * the order of rows, by which an hour shown twice is told. */
static bool needs_steps(const struct fl_csv_file *file)
{
	return file->job->ask->io->zone ||
	       (file->plan.type == &fl_type_bar &&
		!file->job->interval.text[0] &&
		file->plan.interval == FL_CSV_NO_COLUMN);
}

static int learn_row(struct fl_csv_file *file, struct fl_csv_learner *learner,
		     struct fl_csv_numbers *numbers,
		     const struct fl_csv_row *row, struct fl_error *err)
{
	const struct fl_csv_plan *plan = &file->plan;
	char symbol[FL_CSV_SYMBOL_MAX + 1];
	struct fl_csv_when when;
	struct fl_note note;
	size_t len;

	if (fl_csv_row_shape(plan, row, &note) != FL_REASON_NONE)
		return 0;
	learn_numbers(file, numbers, row);
	if (fl_csv_row_when(plan, &file->dates, row, &when, &note) !=
	    FL_REASON_NONE)
		return 0;
	fl_csv_dates_add(&file->dates, &when, file->job->ask->io->zone,
			 row->cells[plan->when].text,
			 row->cells[plan->when].len, row->line);
	if (!needs_steps(file) ||
	    fl_csv_row_symbol(plan, file->symbol, row, symbol, &len, &note) !=
		    FL_REASON_NONE)
		return 0;
	if (fl_csv_learn(learner, symbol, len, &when, err) < 0)
		return fl_error_wrap(err, "'%s'", show(file->path));
	return 0;
}

static int settle_interval(struct fl_csv_file *file,
			   const struct fl_csv_learner *learner,
			   struct fl_error *err)
{
	const char *why;

	file->maker.interval = file->job->interval;
	if (file->plan.type != &fl_type_bar || file->job->interval.text[0] ||
	    file->plan.interval != FL_CSV_NO_COLUMN || file->rows == 0 ||
	    fl_csv_interval(learner, &file->dates, &file->maker.interval, &why))
		return 0;
	return fl_error_set(err, FL_ERR_USAGE,
			    "'%s': cannot tell the bars' interval: %s; say "
			    "--interval 1m (or 1h, 1d)",
			    show(file->path), why);
}

int fl_csv_file_learn(struct fl_csv_file *file, struct fl_error *err)
{
	struct fl_csv_learner learner = FL_CSV_LEARNER_INIT;
	struct fl_csv_numbers numbers = { 0 };
	struct fl_csv_row row;
	int got, result = -1;

	if (fl_csv_file_rewind(file, NULL, err) < 0)
		return -1;
	while ((got = fl_csv_file_wait(file, &row, err)) > 0 &&
	       !fl_csv_stopped(file->job)) {
		file->rows++;
		fl_csv_file_tick(file);
		if (learn_row(file, &learner, &numbers, &row, err) < 0)
			goto done;
	}
	if (got < 0)
		goto done;
	if (fl_csv_stopped(file->job)) {
		result = 0;
		goto done;
	}
	if (fl_csv_dates_settle(&file->dates, file->path, err) < 0 ||
	    fl_csv_numbers_settle(&numbers, fl_csv_delimiter(file->csv),
				  file->path, err) < 0 ||
	    settle_interval(file, &learner, err) < 0)
		goto done;
	file->maker.style = numbers.style;
	file->maker.newest_first = fl_csv_newest_first(&learner);
	fl_log("'%s': %llu rows, %s of %s%s%s, interval %s, adj %s",
	       show(file->path), (unsigned long long)file->rows,
	       file->plan.type->name,
	       file->plan.vendor ? file->plan.vendor : "no known vendor",
	       file->symbol ? ", symbol " : "",
	       file->symbol ? file->symbol : "",
	       file->maker.interval.text[0] ? file->maker.interval.text : "-",
	       file->plan.adj);
	result = 0;
done:
	fl_csv_learner_release(&learner);
	return result;
}
