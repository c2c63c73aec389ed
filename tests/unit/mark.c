/* mark: parse, print, join, forward.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rec/mark.h"

#include <string.h>

#include "base/time.h"
#include "tap.h"

static struct fl_error err;

static int parse(struct fl_mark *mark, const char *text)
{
	fl_error_clear(&err);
	return fl_mark_parse(mark, text, strlen(text), &err);
}

static void test_text(void)
{
	static const char *const whole[] = {
		"{\"type\":\"mark\",\"pipeline\":\"p\",\"at\":{},"
		"\"open\":true,\"via\":[\"fl-fetch sim\",\"fl-clean\"]}",
		"{\"type\":\"mark\",\"pipeline\":\"p\",\"at\":{\"a\":[null,"
		"\"1\"],\"b\":[\"x\",\"y\"]},\"wm\":{\"b\":"
		"\"2026-01-02T16:00:00.000Z\"},\"rt\":{\"a\":"
		"\"2026-01-02T15:00:00.000Z\"}}",
		"{\"type\":\"mark\",\"pipeline\":\"p\",\"at\":{},"
		"\"live\":false}",
		"{\"type\":\"mark\",\"pipeline\":\"p\",\"at\":{},"
		"\"end\":true,\"state\":{\"k\":[1,2.50]}}",
	};
	struct fl_mark mark = FL_MARK_INIT;
	struct fl_buf out = FL_BUF_INIT;

	for (size_t i = 0; i < sizeof(whole) / sizeof(*whole); i++) {
		fl_buf_reset(&out);
		ok(fl_mark_is(whole[i], strlen(whole[i])), "is a mark");
		is_int(parse(&mark, whole[i]), 0, "parses");
		fl_mark_print(&mark, &out);
		is_str(fl_buf_text(&out), whole[i], "prints as it was");
	}
	fl_buf_release(&out);
	fl_mark_release(&mark);
}

static void test_is(void)
{
	static const struct {
		const char *text;
		bool is;
	} lines[] = {
		{ "{\"pipeline\":\"p\",\"type\":\"mark\"}", true },
		{ "{ \"type\" : \"mark\" }", true },
		{ "{\"type\":\"m\\u0061rk\"}", true },
		{ "{\"t\\u0079pe\":\"mark\"}", true },
		{ "{\"type\":\"quote\",\"note\":\"mark\"}", false },
		{ "{\"note\":\"mark\",\"type\":\"quote\"}", false },
		{ "{\"a\":{\"type\":\"mark\"}}", false },
		{ "\"type\":\"mark\"", false },
		{ "mark", false },
		{ "", false },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		ok(fl_mark_is(lines[i].text, strlen(lines[i].text)) ==
			   lines[i].is,
		   "%s is %sa mark", lines[i].text, lines[i].is ? "" : "not ");
}

static void test_bad(void)
{
	static const char *const bad[] = {
		"{\"type\":\"mark\"}",
		"{\"type\":\"mark\",\"pipeline\":\"p\",\"at\":[]}",
		"{\"type\":\"mark\",\"pipeline\":\"p\",\"at\":{\"a\":[1,2]}}",
		"{\"type\":\"mark\",\"pipeline\":\"p\",\"at\":{\"a\":[\"1\"]}}",
		("{\"type\":\"mark\",\"pipeline\":\"p\",\"at\":{\"a\":"
		 "[\"1\",null]}}"),
		"{\"type\":\"mark\",\"pipeline\":\"p\",\"wm\":{\"a\":\"no\"}}",
		"{\"type\":\"mark\",\"pipeline\":\"p\",\"via\":\"x\"}",
	};
	struct fl_mark mark = FL_MARK_INIT;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		is_int(parse(&mark, bad[i]), -1, "refused: %s", bad[i]);
		is_int((int)err.code, FL_ERR_DATA, "%s", err.text);
	}
	fl_mark_release(&mark);
}

static void test_join(void)
{
	struct fl_mark a = FL_MARK_INIT, b = FL_MARK_INIT;
	struct fl_buf out = FL_BUF_INIT;

	parse(&a, "{\"type\":\"mark\",\"pipeline\":\"p\",\"at\":"
		  "{\"x\":[null,\"5\"]}}");
	parse(&b, "{\"type\":\"mark\",\"pipeline\":\"p\",\"at\":"
		  "{\"x\":[\"5\",\"9\"],\"y\":[\"1\",\"2\"]}}");
	is_int(fl_mark_join(&a, &b, &err), 0, "[a,b] and [b,c] join");
	fl_mark_print(&a, &out);
	is_str(fl_buf_text(&out),
	       "{\"type\":\"mark\",\"pipeline\":\"p\",\"at\":{\"x\":[null,"
	       "\"9\"],\"y\":[\"1\",\"2\"]}}",
	       "to [a,c]");
	is_int(fl_mark_join(&a, &b, &err), -1, "a gap does not join");
	is_int((int)err.code, FL_ERR_DATA, "%s", err.text);
	fl_mark_reset(&a);
	is_int((long)a.count, 0, "reset forgets the origins");
	is_str(a.pipeline, "p", "and keeps the pipeline");
	fl_buf_release(&out);
	fl_mark_release(&a);
	fl_mark_release(&b);
}

static void test_forward(void)
{
	static const char open[] = "{\"type\":\"mark\",\"pipeline\":\"p\","
				   "\"at\":{},\"open\":true}";
	static const char cold[] = "{\"type\":\"mark\",\"pipeline\":\"p\","
				   "\"at\":{},\"live\":false}";
	static const char live[] = "{\"type\":\"mark\",\"pipeline\":\"p\","
				   "\"at\":{},\"live\":true}";
	struct fl_io io = { .command = "test", .via = "test" };

	fl_error_clear(&err);
	is_int(fl_mark_forward(&io, open, strlen(open), NULL, &err), 0,
	       "an opening mark");
	ok(io.marked && !io.warm, "makes the stream a marked one");
	fl_mark_forward(&io, cold, strlen(cold), NULL, &err);
	ok(io.warm, "live:false begins the warm-up");
	fl_mark_forward(&io, live, strlen(live), NULL, &err);
	ok(!io.warm, "live:true ends it");
}

int main(void)
{
	test_text();
	test_is();
	test_bad();
	test_join();
	test_forward();
	return done_testing();
}
