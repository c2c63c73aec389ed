/* What of a WebSocket needs no network: addresses, the handshake, frames. */
#include <string.h>

#include "base/time.h"
#include "net/ws-handshake.h"
#include "net/ws.h"
#include "tap.h"

static void test_addresses(void)
{
	static const char *const good[][3] = {
		{ "wss://h/?version=2", "h", "/?version=2" },
		{ "WS://h:81", "h:81", "/" },
		{ "ws://[::1]:81?x=y#z", "[::1]:81", "/?x=y" },
		{ "ws://h/a/b#c", "h", "/a/b" },
	};
	static const char *const bad[] = { "",          "h",
					   "http://h/", "ws:///p",
					   "ws://h\n",  "ws://a@h/",
					   "wss://",    "ws://h/\xc3\xa4" };

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct fl_ws_handshake shake;
		struct fl_error err = { .code = FL_OK };

		is_int(fl_ws_handshake_init(&shake, good[i][0], &err), 0, "%s",
		       good[i][0]);
		is_int(shake.secure, i == 0, "TLS or not");
		is_str(shake.authority, good[i][1], "its host");
		is_str(shake.path, good[i][2], "its path");
		is_int(strlen(shake.key), 24, "16 random bytes as a key");
		fl_ws_handshake_release(&shake);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct fl_ws_handshake shake;
		struct fl_error err = { .code = FL_OK };

		is_int(fl_ws_handshake_init(&shake, bad[i], &err), -1,
		       "address %zu is none", i);
		is_int(err.code, FL_ERR_USAGE, "which is misuse");
		fl_ws_handshake_release(&shake);
	}
}

/* The example of RFC 6455, 1.3. */
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define AGREED                                                                 \
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"           \
	"Connection: keep-alive,Upgrade\r\n"

static void judged(const char *head, enum fl_ws_shaken want, unsigned status,
		   int64_t retry_s, const char *what)
{
	const struct fl_ws_handshake shake = {
		.key = "dGhlIHNhbXBsZSBub25jZQ=="
	};
	unsigned got_status;
	int64_t retry_ns;
	char why[300] = "";

	is_int(fl_ws_handshake_judge(&shake, head, &got_status, &retry_ns, why,
				     sizeof(why)),
	       want, "%s", what);
	is_int(got_status, status, "its status");
	is_int(retry_ns, retry_s * FL_SECOND, "when to come again");
	ok(want == FL_WS_AGREED || why[0], "and why: %s", why);
}

static void test_handshake(void)
{
	judged(AGREED ACCEPT "\r\n", FL_WS_AGREED, 101, 0, "the RFC's example");
	judged(AGREED "\r\n", FL_WS_ALIEN, 101, 0, "no accept key");
	judged(AGREED "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOO=\r\n",
	       FL_WS_ALIEN, 101, 0, "a wrong one");
	judged(AGREED ACCEPT "Sec-WebSocket-Extensions: x\r\n\r\n", FL_WS_ALIEN,
	       101, 0, "an extension that was not offered");
	judged("HTTP/1.1 101 S\r\nConnection: Upgrade\r\n" ACCEPT, FL_WS_ALIEN,
	       101, 0, "no Upgrade");
	judged("HTTP/1.1 101 S\r\nUpgrade: websocket\r\n"
	       "Connection: Upgraded\r\n" ACCEPT,
	       FL_WS_ALIEN, 101, 0, "another Connection");
	judged("HTTP/1.1 403 No\r\n\r\n", FL_WS_REFUSED, 403, 0, "403");
	judged("HTTP/1.0 429 No\r\nRetry-After: 17\r\n", FL_WS_REFUSED, 429, 17,
	       "429 and how long");
	judged("HTTP/1.1 503 No\r\nRetry-After: 99999999999999999999\r\n",
	       FL_WS_REFUSED, 503, 3600, "an hour at the most");
	judged("HTTP/1.1 503 No\r\nRetry-After: Thu, 26 Nov 2026\r\n",
	       FL_WS_REFUSED, 503, 0, "a date is not read");
	judged("SSH-2.0\r\n", FL_WS_ALIEN, 0, 0, "no HTTP");
	judged("HTTP/1.1 ", FL_WS_ALIEN, 0, 0, "no status");
	judged("HTTP/1.", FL_WS_ALIEN, 0, 0, "cut short");
	judged("", FL_WS_ALIEN, 0, 0, "nothing");
}

#ifndef FL_WITHOUT_WSLAY

static char story[1000];

static void each(void *arg, const struct fl_ws_news *news)
{
	static const char *const kinds[] = { "nothing", "up", "data", "spoiled",
					     "down" };

	(void)arg;
	snprintf(story + strlen(story), sizeof(story) - strlen(story),
		 "%s %.*s|", kinds[news->kind],
		 news->bytes ? (int)news->len : (int)strlen(news->why),
		 news->bytes ? news->bytes : news->why);
}

static void frames(const char *bytes, size_t len, const char *want,
		   size_t sent_len)
{
	struct fl_ws_settings settings = FL_WS_SETTINGS;
	struct fl_buf sent = FL_BUF_INIT;

	settings.max_message = 10;
	story[0] = '\0';
	fl_ws_replay(&settings, bytes, len, each, NULL, &sent);
	is_str(story, want, "the story of %zu bytes", len);
	is_int(sent.len, sent_len, "what was answered");
	ok(!sent.len || sent.data[1] & 0x80, "is masked");
	fl_buf_release(&sent);
}

static void test_frames(void)
{
#define FRAMES(bytes, want, sent) frames(bytes, sizeof(bytes) - 1, want, sent)
#define CUT                       "down the connection was cut|"
	FRAMES("", CUT, 0);
	FRAMES("\x81\x02hi\x82\x01\x07", "data hi|data \x07|" CUT, 0);
	FRAMES("\x81\x00", "data |" CUT, 0);
	FRAMES("\x01\x01"
	       "a\x89\x02yo\x00\x01"
	       "b\x80\x01"
	       "c",
	       "data abc|" CUT, 8);
	FRAMES("\x81\x05hi", "spoiled hi|" CUT, 0);
	FRAMES("\x81", "spoiled |" CUT, 0);
	FRAMES("\x01\x02hi", "spoiled hi|" CUT, 0);
	FRAMES("\x8a\x02", CUT, 0);
	FRAMES("\x81\x0bhello world",
	       "spoiled hello world|down a message that is too long|", 8);
	FRAMES("\x01\x06hello \x80\x05world",
	       "spoiled hello world|down a message that is too long|", 8);
	FRAMES("\xc1\x02hi", "spoiled hi|down a frame with reserved bits|", 8);
	FRAMES("\x81\x02\xc3(", "spoiled \xc3(|down a text that is not UTF-8|",
	       8);
	FRAMES("\x88\x00", "down closed by the other side|", 6);
	FRAMES("\x88\x05\x03\xe9"
	       "bye",
	       "down closed by the other side (1001, bye)|", 8);
	FRAMES("\x88\x02\x03\xed", "down a goodbye that is none|", 8);
	FRAMES("\x88\x01\x03", "down a goodbye that is none|", 8);
}

#else

static void test_frames(void)
{
	note("built without wslay");
}

#endif

int main(void)
{
	test_addresses();
	test_handshake();
	test_frames();
	return done_testing();
}
