/* Recorded exchanges: back as they were, without secrets, in their order. */
#include <stdlib.h>
#include <unistd.h>

#include "base/time.h"
#include "folder.h"
#include "net/tape.h"
#include "tap.h"

static char folder[] = "/tmp/fl-tape-XXXXXX";

static void put(struct fl_tape *tape, const char *url, const char *head,
		const char *body, unsigned status)
{
	struct fl_exchange x = { .status = status,
				 .asked_ns = fl_now_ns(),
				 .date_ns = FL_TIME_NONE };
	struct fl_error err = { .code = FL_OK };

	fl_buf_puts(&x.head, head);
	fl_buf_puts(&x.body, body);
	if (fl_tape_put(tape, "GET", url, &x, &err) < 0)
		note("%s", err.text);
	fl_exchange_release(&x);
}

static int get(struct fl_tape *tape, const char *url, struct fl_exchange *x)
{
	struct fl_error err = { .code = FL_OK };
	int got;

	fl_exchange_release(x);
	*x = (struct fl_exchange)FL_EXCHANGE_INIT;
	got = fl_tape_get(tape, "GET", url, x, &err);
	if (got < 0)
		note("%s", err.text);
	return got;
}

static void test_play(void)
{
	static const char url[] = "https://h1/query?f=X&apikey=SECRET9&s=A";
	struct fl_exchange x = FL_EXCHANGE_INIT;
	struct fl_error err = { .code = FL_OK };
	struct fl_tape *tape;
	int64_t ns;

	ok(fl_tape_record(&tape, folder, "fl-fetch \"x\"", FL_DAY, &err) == 0,
	   "a recording");
	put(tape, url, "HTTP/1.1 200 OK\r\nSet-Cookie: A=1\r\nX: SECRET9\r\n",
	    "we know your key SECRET9, SECRET9.", 200);
	put(tape, url, "", "second", 503);
	put(tape, "https://h/v1/test/getcrumb", "", "cRuMb", 200);
	fl_tape_close(&tape);
	ok(fl_tape_record(&tape, folder, "x", 0, &err) < 0 &&
		   err.code == FL_ERR_USAGE,
	   "none into another");
	fl_tape_close(&tape);
	fl_error_clear(&err);
	ok(fl_tape_time(folder, &ns, &err) == 0 && ns == FL_DAY, "its time");
	is_int(fl_tape_play(&tape, folder, &err), 0, "played");
	/* Another host, another key. */
	is_int(get(tape, "http://h2:1/query?f=X&apikey=other&s=A", &x), 1,
	       "the first answer");
	is_str(fl_buf_text(&x.body), "we know your key *******, *******.",
	       "without the key that it repeats");
	is_str(fl_buf_text(&x.head),
	       "HTTP/1.1 200 OK\r\nSet-Cookie: ***\r\nX: *******\r\n",
	       "nor a cookie");
	is_int(get(tape, url, &x), 1, "the second");
	is_int(x.status, 503, "is another");
	is_int(get(tape, url, &x), -1, "there is no third");
	is_int(get(tape, "https://h/v1/test/getcrumb", &x), 1, "a crumb");
	is_str(fl_buf_text(&x.body), "***", "is not told");
	fl_exchange_release(&x);
	fl_tape_close(&tape);
}

static void test_cache(void)
{
	static const char url[] = "https://h1/v8/chart/ZZZT?period1=1";
	struct fl_exchange x = FL_EXCHANGE_INIT;
	struct fl_error err = { .code = FL_OK };
	struct fl_tape *tape;

	ok(fl_tape_cache(&tape, folder, fl_now_ns(), FL_SECOND, &err) == 0,
	   "a cache");
	is_int(get(tape, url, &x), 0, "what is not there is asked");
	put(tape, url, "", "one", 200);
	put(tape, "https://h1/bad", "", "two", 500);
	is_int(get(tape, url, &x), 1, "then it is there");
	is_int(get(tape, url, &x), 1, "for everybody");
	is_int(get(tape, "https://h1/bad", &x), 0, "errors are asked anew");
	usleep(1100000);
	is_int(get(tape, url, &x), 0, "and what is old");
	fl_exchange_release(&x);
	fl_tape_close(&tape);
}

int main(void)
{

	if (!mkdtemp(folder))
		skip_all("no folder");
	test_play();
	test_cache();
	folder_remove(folder);
	return done_testing();
}
