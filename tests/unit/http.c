/* What of HTTP needs no network: masked and escaped URLs, headers, what is
 * worth another try. */
#include <string.h>

#include "net/http.h"
#include "net/mask.h"
#include "tap.h"

static void test_mask(void)
{
	static const char *const urls[][2] = {
		{ "https://h/p?function=X&apikey=abc&symbol=Z",
		  "https://h/p?function=X&apikey=***&symbol=Z" },
		{ "https://h/p?API_KEY=abc", "https://h/p?API_KEY=***" },
		{ "https://h/p?a=1&access_token=t&crumb=%2Fx&b=2",
		  "https://h/p?a=1&access_token=***&crumb=***&b=2" },
		{ "https://me:pass@h:1/p@q", "https://me:***@h:1/p@q" },
		{ "https://me@h/p", "https://me@h/p" },
		{ "https://h/p?key", "https://h/p?key" },
		{ "https://h/p?keywords=a%20b&key=c",
		  "https://h/p?keywords=a%20b&key=***" },
		{ "https://h/p?key=&x=1", "https://h/p?key=***&x=1" },
		{ "https://h/p?x=1&", "https://h/p?x=1&" },
		{ "https://h", "https://h" },
		{ "h?secret=s", "h?secret=***" },
		{ "https://h/\n\x01?x=\x7f", "https://h/\\x0a\\x01?x=\\x7f" },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		struct fl_buf out = FL_BUF_INIT;

		fl_url_mask(urls[i][0], &out);
		is_str(fl_buf_text(&out), urls[i][1], "masked: %s", urls[i][1]);
		fl_buf_release(&out);
	}
}

static void test_escape(void)
{
	struct fl_buf out = FL_BUF_INIT;

	fl_url_escape("^GSPC EURUSD=X/a.b-c_d~\xc3\xa4%", &out);
	is_str(fl_buf_text(&out), "%5EGSPC%20EURUSD%3DX%2Fa.b-c_d~%C3%A4%25",
	       "all but unreserved characters");
	fl_buf_release(&out);
}

static void test_headers(void)
{
	const struct fl_http_answer answer = {
		.head = "HTTP/1.1 200 OK\r\nContent-Type:  text/html \r\n"
			"Empty:\r\nX-Content-Type: no\r\nlast: one\n"
	};
	size_t len = 0;
	const char *value = fl_http_header(&answer, "content-type", &len);

	ok(value && len == 9 && memcmp(value, "text/html", 9) == 0,
	   "a value without the blanks around it");
	ok(fl_http_header(&answer, "EMPTY", &len) && len == 0, "an empty one");
	value = fl_http_header(&answer, "Last", &len);
	ok(value && len == 3 && memcmp(value, "one", 3) == 0, "the last one");
	ok(!fl_http_header(&answer, "Type", &len), "no part of a name");
	ok(!fl_http_header(&answer, "HTTP/1.1 200 OK", &len), "no status line");
}

static void test_retryable(void)
{
	static const struct {
		enum fl_http_fault fault;
		unsigned status;
		bool again;
	} cases[] = {
		{ FL_HTTP_WHOLE, 200, false },
		{ FL_HTTP_WHOLE, 404, false },
		{ FL_HTTP_WHOLE, 401, false },
		{ FL_HTTP_WHOLE, 408, true },
		{ FL_HTTP_WHOLE, 429, true },
		{ FL_HTTP_WHOLE, 500, true },
		{ FL_HTTP_WHOLE, 501, false },
		{ FL_HTTP_WHOLE, 503, true },
		{ FL_HTTP_WHOLE, 999, true },
		{ FL_HTTP_NETWORK, 0, true },
		{ FL_HTTP_CUT, 200, true },
		{ FL_HTTP_TLS, 0, false },
		{ FL_HTTP_REDIRECTS, 302, false },
		{ FL_HTTP_TOO_LARGE, 200, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct fl_http_answer answer = {
			.fault = cases[i].fault, .status = cases[i].status
		};

		ok(fl_http_retryable(&answer) == cases[i].again,
		   "fault %d, status %u: %s", (int)cases[i].fault,
		   cases[i].status, cases[i].again ? "again" : "for good");
	}
}

int main(void)
{
	test_mask();
	test_escape();
	test_headers();
	test_retryable();
	return done_testing();
}
