/* csv_event: dividends and splits that stand beside the prices of a day.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/decimal.h"
#include "source/csv/work.h"

bool fl_csv_longer_than_day(const struct fl_csv_work *w)
{
	return w->interval.months || w->interval.ns > FL_DAY;
}

static const struct fl_field *field_of(const struct fl_type *type,
				       const char *path)
{
	return &type->fields[fl_type_field(type, path, strlen(path))];
}

/* What the row says of an event; NULL: nothing, or that there was none. */
static const struct fl_csv_cell *event_cell(const struct fl_csv_work *w,
					    enum fl_csv_event event)
{
	const struct fl_csv_cell *cell =
		fl_csv_cell_at(w->row, w->plan->events[event].column);
	char number[FL_CSV_NUMBER_MAX];
	struct fl_decimal value;
	size_t len;

	if (fl_csv_absent(cell->text, cell->len))
		return NULL;
	len = fl_csv_read_number(w, FL_UNIT_PRICE, cell, number);
	if (len && fl_decimal_parse(number, len, &value) >= 0 &&
	    (value.mant == 0 ||
	     (event == FL_CSV_SPLIT && value.mant == 1 && value.scale == 0)))
		return NULL;
	return cell;
}

static void begin_event(struct fl_csv_work *w, const char *type)
{
	fl_csv_record_begin(w, type, w->day * FL_DAY);
	fl_csv_put_date(w, "date", w->day);
	fl_csv_put_given(w, FL_CSV_PROVIDER);
	fl_csv_put_given(w, FL_CSV_SYMBOL);
}

static enum fl_reason make_dividend(struct fl_csv_work *w,
				    enum fl_csv_event event,
				    const struct fl_csv_cell *also)
{
	const struct fl_csv_cell *cell = event_cell(w, event);
	int currency = fl_type_field(w->plan->type, "currency", 8);
	enum fl_reason reason;

	begin_event(w, "dividend");
	fl_csv_put_key(w, "amount");
	reason = fl_csv_put_number(w, field_of(&fl_type_dividend, "amount"),
				   cell);
	for (size_t i = 0; i < w->plan->field_count && !reason; i++) {
		const struct fl_csv_cell *money =
			fl_csv_cell_at(w->row, w->plan->fields[i].column);

		if (w->plan->fields[i].field != currency ||
		    fl_csv_absent(money->text, money->len))
			continue;
		fl_csv_put_key(w, "currency");
		reason = fl_csv_put_text(w, "currency", money);
	}
	if (event == FL_CSV_GAIN)
		fl_csv_put_string(w, "kind", "capital_gain", 12);
	if (w->plan->event_adj)
		fl_csv_put_string(w, "adj", w->plan->event_adj,
				  strlen(w->plan->event_adj));
	fl_csv_put_given(w, FL_CSV_SYMBOL_SRC);
	/* One dividend a day is all that stores can hold. */
	if (also && !reason) {
		fl_csv_put_key(w, "capital_gain");
		reason = fl_csv_put_number(
			w, field_of(&fl_type_dividend, "amount"), also);
	}
	return reason ? reason : fl_csv_record_end(w);
}

static int64_t gcd(int64_t a, int64_t b)
{
	while (b) {
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* A ratio as numerator and denominator: 1.5 is 3 and 2, 0.1 is 1 and 10. Of six
 * decimals and more it is the simplest fraction that is written like this:
 * 0.333333 is 1 and 3, as nobody can write a third out. */
static bool fraction_of(struct fl_decimal value, int64_t *over, int64_t *under)
{
	int64_t power = 1, divisor;

	if (value.mant <= 0 || value.scale > 17 || value.scale < -6 ||
	    value.mant > INT64_C(100000000000000000) / 1000)
		return false;
	for (int i = 0; i < value.scale; i++)
		power *= 10;
	*over = value.mant;
	for (int i = value.scale; i < 0; i++)
		*over *= 10;
	*under = power;
	for (int64_t q = 2; value.scale >= 6 && q <= 1000; q++) {
		/* |p/q - value| <= half of the last place */
		fl_int128 scaled = (fl_int128)value.mant * q;
		int64_t p = (int64_t)((scaled + power / 2) / power);
		fl_int128 off = scaled - (fl_int128)p * power;

		if (p > 0 && 2 * (off < 0 ? -off : off) <= q) {
			*over = p;
			*under = q;
			break;
		}
	}
	divisor = gcd(*over, *under);
	*over /= divisor;
	*under /= divisor;
	return true;
}

static bool decimal_of(const struct fl_csv_work *w, const char *text,
		       size_t len, struct fl_decimal *value)
{
	struct fl_csv_cell part = { text, len };
	char number[FL_CSV_NUMBER_MAX];

	len = fl_csv_read_number(w, FL_UNIT_RATIO, &part, number);
	return len && fl_decimal_parse(number, len, value) >= 0 &&
	       value->mant > 0;
}

/* 4, 0.25, 4:1, 4/1, 4 for 1 */
static enum fl_reason make_split(struct fl_csv_work *w,
				 const struct fl_csv_cell *cell)
{
	char number[FL_CSV_NUMBER_MAX];
	struct fl_decimal over, under = { 1, 0 };
	size_t parted = 0;
	int64_t p, q;

	while (parted < cell->len && !strchr(":/f", cell->text[parted]))
		parted++;
	if (parted < cell->len) {
		size_t behind = parted + 1;

		if (cell->len - parted >= 3 &&
		    memcmp(cell->text + parted, "for", 3) == 0)
			behind = parted + 3;
		if (!decimal_of(w, cell->text, parted, &over) ||
		    !decimal_of(w, cell->text + behind, cell->len - behind,
				&under))
			return fl_csv_bad_value(w, "split", cell,
						"a ratio such as 4 or 4:1",
						FL_REASON_bad_number);
	} else if (!decimal_of(w, cell->text, cell->len, &over)) {
		return fl_csv_bad_value(w, "split", cell,
					"a ratio such as 4 or 4:1",
					FL_REASON_bad_number);
	} else if (fraction_of(over, &p, &q)) {
		over = fl_decimal_from_i64(p);
		under = fl_decimal_from_i64(q);
	}
	begin_event(w, "split");
	fl_csv_put_key(w, "numerator");
	fl_buf_append(&w->made->text, number, fl_decimal_print(over, number));
	fl_csv_put_key(w, "denominator");
	fl_buf_append(&w->made->text, number, fl_decimal_print(under, number));
	fl_csv_put_given(w, FL_CSV_SYMBOL_SRC);
	return fl_csv_record_end(w);
}

enum fl_reason fl_csv_make_events(struct fl_csv_work *w)
{
	const struct fl_csv_cell *dividend, *gain, *split;
	enum fl_reason reason = FL_REASON_NONE;

	if (w->plan->type != &fl_type_bar || fl_csv_longer_than_day(w))
		return FL_REASON_NONE;
	dividend = event_cell(w, FL_CSV_DIVIDEND);
	gain = event_cell(w, FL_CSV_GAIN);
	split = event_cell(w, FL_CSV_SPLIT);
	if (dividend)
		reason = make_dividend(w, FL_CSV_DIVIDEND, gain);
	else if (gain)
		reason = make_dividend(w, FL_CSV_GAIN, NULL);
	if (split && !reason)
		reason = make_split(w, split);
	return reason;
}
