/* csv_learn: the first pass over a file, which settles what no row tells alone.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/short.h"
#include "source/csv/digits.h"
#include "source/csv/file.h"
#include "source/csv/step.h"
#include "source/csv/work.h"

static const char *show(const char *text)
{
	return fl_show(text, strlen(text), 200);
}

enum {
	SYMBOL_SLOTS = 4096, /* a power of two */
};

/* A symbol as its cell has it, and where its last row is kept. */
struct known {
	char cell[FL_LANES];
	size_t len; /* 0: free */
	struct fl_csv_last *last;
};

/* One pass. Most rows are of the day of the row before and of a symbol that
 * was seen, so both are remembered by their cells. */
struct learning {
	struct fl_csv_file *file;
	struct fl_csv_learner learner;
	struct fl_csv_numbers numbers;
	size_t columns[FL_FIELDS_MAX]; /* of numbers */
	size_t column_count;
	bool steps; /* are of use */
	bool usual; /* what was seen may be remembered */
	bool dated; /* `when` is of the cell `date`, and no time follows it */
	size_t date_len;
	char date[FL_CSV_CLOCK_CELL_MAX];
	struct fl_csv_when when;
	struct fl_csv_values values;
	struct known *known; /* [SYMBOL_SLOTS] */
};

/* The column of every number of the record. */
static void find_numbers(struct learning *l)
{
	const struct fl_csv_plan *plan = &l->file->plan;

	for (size_t i = 0; i < plan->field_count; i++) {
		enum fl_kind kind =
			plan->type->fields[plan->fields[i].field].kind;

		if (kind == FL_NUMBER || kind == FL_SUM)
			l->columns[l->column_count++] = plan->fields[i].column;
	}
}

static void learn_numbers(struct learning *l, const struct fl_csv_row *row)
{
	for (size_t i = 0; i < l->column_count; i++) {
		const struct fl_csv_cell *cell =
			fl_csv_cell_at(row, l->columns[i]);
		FL_UNINITIALIZED struct fl_csv_digits d;

		if (!fl_csv_digits_look(cell, &d))
			fl_csv_numbers_add(&l->numbers, cell->text, cell->len,
					   row->line);
		else if (d.point != d.len && !fl_csv_digits_grouped(&d))
			l->numbers.points++;
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

/* The row's date and time, which may be that of the row before. */
static bool find_when(struct learning *l, const struct fl_csv_row *row)
{
	const struct fl_csv_plan *plan = &l->file->plan;
	const struct fl_csv_cell *date = fl_csv_cell_at(row, plan->when);
	FL_UNINITIALIZED struct fl_note note;

	if (l->dated && date->len == l->date_len &&
	    fl_short_equal(date->text, l->date, date->len))
		return true;
	l->dated = false;
	if (fl_csv_row_when(plan, &l->file->dates, row, &l->when, &note) !=
	    FL_REASON_NONE)
		return false;
	fl_csv_learn_values(&l->when, &l->values);
	if (l->usual && plan->time == FL_CSV_NO_COLUMN &&
	    date->len <= sizeof(l->date)) {
		l->dated = true;
		l->date_len = date->len;
		memcpy(l->date, date->text, date->len);
	}
	return true;
}

/* Where the last row of the symbol is kept, remembered by the symbol's cell.
 * NULL: the row has none, or err is set. */
static struct fl_csv_last *find_last(struct learning *l,
				     const struct fl_csv_row *row,
				     struct fl_error *err)
{
	const struct fl_csv_plan *plan = &l->file->plan;
	const struct fl_csv_cell *cell = fl_csv_cell_at(row, plan->symbol);
	FL_UNINITIALIZED char symbol[FL_CSV_SYMBOL_MAX + 1];
	FL_UNINITIALIZED struct fl_note note;
	struct known *known = NULL;
	struct fl_csv_last *last;
	size_t len;

	if (l->usual && cell->len <= FL_LANES) {
		known = &l->known[fl_short_hash(cell->text, cell->len) &
				  (SYMBOL_SLOTS - 1)];
		if (known->last && known->len == cell->len &&
		    fl_short_equal(known->cell, cell->text, cell->len))
			return known->last;
	}
	if (fl_csv_row_symbol(plan, l->file->symbol, row, symbol, &len,
			      &note) != FL_REASON_NONE)
		return NULL;
	last = fl_csv_learn_last(&l->learner, symbol, len, err);
	if (known && last) {
		memcpy(known->cell, cell->text, cell->len);
		known->len = cell->len;
		known->last = last;
	}
	return last;
}

static int learn_row(struct learning *l, const struct fl_csv_row *row,
		     struct fl_error *err)
{
	struct fl_csv_file *file = l->file;
	const struct fl_csv_plan *plan = &file->plan;
	FL_UNINITIALIZED struct fl_note note;
	struct fl_csv_last *last;

	if (fl_csv_row_shape(plan, row, &note) != FL_REASON_NONE)
		return 0;
	learn_numbers(l, row);
	if (!find_when(l, row))
		return 0;
	if (l->when.form != FL_CSV_DAY || l->when.timed)
		fl_csv_dates_add(&file->dates, &l->when,
				 file->job->ask->io->zone,
				 row->cells[plan->when].text,
				 row->cells[plan->when].len, row->line);
	if (!l->steps)
		return 0;
	last = find_last(l, row, err);
	if (last)
		fl_csv_learn(&l->learner, last, &l->values);
	return err->code ? fl_error_wrap(err, "'%s'", show(file->path)) : 0;
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
	struct learning l = {
		.file = file,
		.steps = needs_steps(file),
		.usual = !file->job->ask->long_way,
		.known = fl_zalloc(SYMBOL_SLOTS * sizeof(*l.known)),
	};
	struct fl_csv_row row;
	int got, result = -1;

	find_numbers(&l);
	if (fl_csv_file_rewind(file, NULL, err) < 0)
		goto done;
	while ((got = fl_csv_file_wait(file, &row, err)) > 0 &&
	       !fl_csv_stopped(file->job)) {
		file->rows++;
		fl_csv_file_tick(file);
		if (learn_row(&l, &row, err) < 0)
			goto done;
	}
	if (got < 0)
		goto done;
	if (fl_csv_stopped(file->job)) {
		result = 0;
		goto done;
	}
	if (fl_csv_dates_settle(&file->dates, file->path, err) < 0 ||
	    fl_csv_numbers_settle(&l.numbers, fl_csv_delimiter(file->csv),
				  file->path, err) < 0 ||
	    settle_interval(file, &l.learner, err) < 0)
		goto done;
	file->maker.style = l.numbers.style;
	file->maker.newest_first = fl_csv_newest_first(&l.learner);
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
	fl_csv_learner_release(&l.learner);
	free(l.known);
	return result;
}
