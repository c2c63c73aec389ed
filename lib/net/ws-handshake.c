/* ws-handshake: see ws-handshake.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/ws-handshake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/time.h"
#include "net/http.h"

#define RETRY_MAX 3600 /* seconds */

/* RFC 6455, 1.3 */
#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

static void make_key(char key[25])
{
	unsigned char random[16];
	struct fl_buf text = FL_BUF_INIT;

	fl_random(random, sizeof(random));
	fl_base64_put(&text, random, sizeof(random));
	snprintf(key, 25, "%s", fl_buf_text(&text));
	fl_buf_release(&text);
}

int fl_ws_handshake_init(struct fl_ws_handshake *shake, const char *url,
			 struct fl_error *err)
{
	bool secure = strncasecmp(url, "wss://", 6) == 0;
	bool good = secure || strncasecmp(url, "ws://", 5) == 0;
	const char *rest = url + (secure ? 6 : 5);
	size_t len;

	*shake = (struct fl_ws_handshake){ .secure = secure };
	/* It goes into a request line as it is. */
	for (const char *at = url; *at; at++)
		good &= *at > ' ' && *at < 0x7f;
	len = good ? strcspn(rest, "/?#") : 0;
	if (!len || memchr(rest, '@', len))
		return fl_error_set(err, FL_ERR_USAGE,
				    "'%s' is no address of a WebSocket, such "
				    "as wss://host/path",
				    fl_show(url, strlen(url), 200));
	shake->authority = fl_strndup(rest, len);
	rest += len;
	shake->path = fl_sprintf("%s%.*s", *rest == '/' ? "" : "/",
				 (int)strcspn(rest, "#"), rest);
	make_key(shake->key);
	return 0;
}

void fl_ws_handshake_release(struct fl_ws_handshake *shake)
{
	free(shake->authority);
	free(shake->path);
	shake->authority = shake->path = NULL;
}

void fl_ws_handshake_ask(const struct fl_ws_handshake *shake, const char *agent,
			 struct fl_buf *out)
{
	fl_buf_printf(out,
		      "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\n"
		      "Upgrade: websocket\r\nConnection: Upgrade\r\n"
		      "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n"
		      "\r\n",
		      shake->path, shake->authority, agent, shake->key);
}

static const char *header(const char *head, const char *name, size_t *len)
{
	const struct fl_http_answer answer = { .head = head };

	*len = 0;
	return fl_http_header(&answer, name, len);
}

/* Does the header hold the word, one of several by comma? */
static bool header_has(const char *head, const char *name, const char *word)
{
	size_t len, word_len = strlen(word), item;
	const char *value = header(head, name, &len);
	const char *end = value ? value + len : NULL;

	for (; value && value < end; value += item) {
		while (value < end && strchr(" \t,", *value))
			value++;
		for (item = 0; value + item < end; item++)
			if (strchr(" \t,", value[item]))
				break;
		if (item == word_len && strncasecmp(value, word, item) == 0)
			return true;
	}
	return false;
}

static bool accept_good(const struct fl_ws_handshake *shake, const char *head)
{
	char joined[sizeof(shake->key) + sizeof(GUID)];
	struct fl_buf want = FL_BUF_INIT;
	unsigned char digest[20];
	size_t len;
	const char *got = header(head, "Sec-WebSocket-Accept", &len);
	bool good;

	snprintf(joined, sizeof(joined), "%s%s", shake->key, GUID);
	fl_sha1(joined, strlen(joined), digest);
	fl_base64_put(&want, digest, sizeof(digest));
	good = got && len == want.len && memcmp(got, want.data, len) == 0;
	fl_buf_release(&want);
	return good;
}

static int64_t retry_after(const char *head)
{
	size_t len;
	const char *value = header(head, "Retry-After", &len);
	int64_t wait = 0;

	for (size_t i = 0; value && i < len; i++) {
		if (value[i] < '0' || value[i] > '9')
			return 0; /* a date: one's own back-off must do */
		if (wait < RETRY_MAX)
			wait = 10 * wait + (value[i] - '0');
	}
	return (wait < RETRY_MAX ? wait : RETRY_MAX) * FL_SECOND;
}

enum fl_ws_shaken fl_ws_handshake_judge(const struct fl_ws_handshake *shake,
					const char *head, unsigned *status,
					int64_t *retry_ns, char *why,
					size_t size)
{
	const char *code =
		strncmp(head, "HTTP/1.", 7) == 0 && head[7] ? head + 8 : "";
	size_t len;

	*status = 0;
	*retry_ns = 0;
	if (code[0] == ' ' && code[1] >= '1' && code[1] <= '9')
		*status = (unsigned)strtoul(code + 1, NULL, 10);
	if (*status < 100 || *status > 999) {
		*status = 0;
		snprintf(why, size,
			 "the answer to the handshake is no HTTP/1.1");
		return FL_WS_ALIEN;
	}
	if (*status != 101) {
		*retry_ns = retry_after(head);
		snprintf(why, size, "the handshake was answered with HTTP %u",
			 *status);
		return FL_WS_REFUSED;
	}
	if (!header_has(head, "Upgrade", "websocket") ||
	    !header_has(head, "Connection", "upgrade") ||
	    !accept_good(shake, head)) {
		snprintf(why, size,
			 "the answer does not fit the handshake: no WebSocket "
			 "server, or something in between that keeps old "
			 "answers");
		return FL_WS_ALIEN;
	}
	if ((header(head, "Sec-WebSocket-Extensions", &len) && len) ||
	    (header(head, "Sec-WebSocket-Protocol", &len) && len)) {
		snprintf(why, size,
			 "the server chose an extension or a protocol that was "
			 "not offered");
		return FL_WS_ALIEN;
	}
	return FL_WS_AGREED;
}
