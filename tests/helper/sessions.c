/* sessions: print what a file of calendars says, for tests to compare.
 *
 * usage: sessions FROM TO [FILE]
 *
 * One line for each exchange and trading date in [FROM, TO): name, date, then
 * open, close, begin and end of the break in seconds since 1970 UTC, '-' for no
 * break. Without FILE the calendars built in. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rec/sessions.h"

static void print(const struct fl_exchange *ex, const struct fl_session *s)
{
	char date[FL_TIME_TEXT];

	fl_date_print(s->day, date);
	printf("%s %s %" PRId64 " %" PRId64, fl_exchange_name(ex), date,
	       s->open_ns / FL_SECOND, s->close_ns / FL_SECOND);
	if (s->break_to_ns)
		printf(" %" PRId64 " %" PRId64 "\n",
		       s->break_from_ns / FL_SECOND,
		       s->break_to_ns / FL_SECOND);
	else
		printf(" - -\n");
}

int main(int argc, char **argv)
{
	const struct fl_calendars *set = NULL;
	struct fl_error err = { .code = FL_OK };
	const struct fl_exchange *ex;
	int64_t from, to;

	if (argc < 3 || argc > 4 ||
	    !fl_date_parse(argv[1], strlen(argv[1]), &from) ||
	    !fl_date_parse(argv[2], strlen(argv[2]), &to)) {
		fprintf(stderr, "usage: sessions FROM TO [FILE]\n");
		return 2;
	}
	if (fl_calendars_open(&set, argc > 3 ? argv[3] : NULL, &err) < 0) {
		fprintf(stderr, "sessions: %s\n", err.text);
		return (int)err.code;
	}
	for (size_t i = 0; (ex = fl_exchange_number(set, i)); i++) {
		struct fl_session session;

		for (int64_t day = from; day < to; day++) {
			if (fl_exchange_session(ex, day, &session))
				print(ex, &session);
		}
	}
	fl_calendars_close(&set);
	return 0;
}
