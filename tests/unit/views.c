/* views: what they say of themselves, and of fields that there are. Whether
 * their selects are right only a database can tell:
 * tests/live/postgres-bi.bats.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/views.h"

#include "rec/type.h"
#include "store/describe.h"
#include "tap.h"

/* The line of one column. */
static void described(const struct fl_type *type, const char *column,
		      const char *wanted)
{
	struct fl_sql_column cols[FL_SQL_COLUMNS_MAX];
	size_t count = fl_sql_columns(&fl_sql_postgres, type, cols);
	struct fl_buf text = FL_BUF_INIT;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(cols[i].name, column) == 0)
			fl_describe_column(&text, type, &cols[i]);
	}
	is_str(fl_buf_text(&text), wanted, "%s.%s", type->name, column);
	fl_buf_release(&text);
}

/* Everything has a line, and only one. */
static void test_types(void)
{
	const struct fl_sql_dialect *const dialects[] = { &fl_sql_postgres,
							  &fl_sql_mysql };
	struct fl_sql_column cols[FL_SQL_COLUMNS_MAX];
	struct fl_buf text = FL_BUF_INIT;
	int wrong = 0;

	for (size_t d = 0; d < 2; d++) {
		for (size_t i = 0; fl_types[i]; i++) {
			size_t count =
				fl_sql_columns(dialects[d], fl_types[i], cols);

			for (size_t j = 0; j < count; j++) {
				fl_buf_reset(&text);
				fl_describe_column(&text, fl_types[i],
						   &cols[j]);
				wrong += !text.len || strchr(text.data, '\n') ||
					 strstr(text.data, "(null)");
			}
		}
	}
	is_int(wrong, 0, "every column of every type has a line");
	fl_buf_reset(&text);
	fl_describe_type(&text, &fl_type_bar);
	is_str(text.data,
	       "open, high, low and close of an interval; a row for each "
	       "symbol, provider, interval, adj, session, ts",
	       "a table says what its rows are");
	fl_buf_release(&text);
	described(&fl_type_quote, "price",
		  "of the last trade; above 0 unless asset is future or index; "
		  "in main currency units");
	described(&fl_type_quote, "change_pct",
		  "the same in percent: 1.25 means 1.25 %");
	described(&fl_type_quote, "ts_recv_ns",
		  "nanoseconds that the microseconds of ts_recv leave, 0 to "
		  "999");
	described(&fl_type_bar, "session",
		  "trading hours that count; one of regular, pre, post, all; "
		  "regular unless said otherwise");
	described(&fl_type_bar, "adj",
		  "what prices are adjusted for: none (as traded), split, all "
		  "(and dividends)");
	described(&fl_type_log, "source_ip",
		  "source.ip: address of the source");
}

static void test_views(void)
{
	struct fl_buf text = FL_BUF_INIT;

	for (const struct fl_view *view = fl_views; view->name; view++) {
		int wrong = !view->doc || !view->columns[0].name;

		for (const struct fl_view_column *col = view->columns;
		     col->name; col++) {
			fl_buf_reset(&text);
			fl_view_describe(&text, col); /* of a field there is */
			wrong += !text.len || text.data[0] == '=';
			for (const struct fl_view_column *other = col + 1;
			     other->name; other++)
				wrong += strcmp(col->name, other->name) == 0;
		}
		is_int(wrong, 0, "%s: each column once, with a line",
		       view->name);
	}
	fl_buf_release(&text);
}

int main(void)
{
	test_types();
	test_views();
	return done_testing();
}
