/* fuzz-yahoo-stream: a message of Yahoo's stream, as any bytes; and the same
 * bytes as frames of the network, and as the answer to a handshake.
 *
 * Whatever the message, it is a record, passed over, or refused in words. A
 * record parses, is of the time that is told for it, and where its type's check
 * finds it good it is canonical to the byte. Of frames, all news ends with one
 * DOWN, and nothing is longer than the ceiling.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "answers.h"
#include "base/utf8.h"
#include "net/ws-handshake.h"
#include "net/ws.h"
#include "source/yahoo/stream.h"

#define RECV_NS (INT64_C(1767369600123456) * 1000)
#define CEILING 1000

static struct fl_yahoo_ticker ticker;

static void judge(const struct fl_item *item)
{
	enum fl_reason reason = check_item(item);

	/* What a price or an exchange may be is fl-clean's to say. */
	assert(!reason || reason == FL_REASON_out_of_range ||
	       reason == FL_REASON_bad_type || reason == FL_REASON_bad_utf8);
}

static void take(const char *bytes, size_t len)
{
	struct fl_item item = { .bytes = NULL };

	switch (fl_yahoo_tick(&ticker, bytes, len, RECV_NS, &item)) {
	case FL_YAHOO_TICK:
		judge(&item);
		break;
	case FL_YAHOO_PASSED:
		break;
	case FL_YAHOO_BAD:
		assert(ticker.reason && ticker.note.detail[0]);
		break;
	}
}

static void each(void *arg, const struct fl_ws_news *news)
{
	unsigned *downs = arg;

	assert(!*downs);
	switch (news->kind) {
	case FL_WS_DATA:
		assert(news->len <= CEILING);
		assert(!news->text || fl_utf8_valid(news->bytes, news->len));
		take(news->bytes, news->len);
		break;
	case FL_WS_SPOILED:
		assert(news->why[0]);
		break;
	case FL_WS_DOWN:
		assert(news->why[0]);
		++*downs;
		break;
	default:
		assert(false);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fl_ws_settings settings = FL_WS_SETTINGS;
	struct fl_ws_handshake shake = { .key = "dGhlIHNhbXBsZSBub25jZQ==" };
	struct fl_buf sent = FL_BUF_INIT;
	unsigned downs = 0, status;
	int64_t retry_ns;
	char why[300] = "", *head;

	take((const char *)data, size);
	settings.max_message = CEILING;
	fl_ws_replay(&settings, (const char *)data, size, each, &downs, &sent);
	assert(downs == 1);
	fl_buf_release(&sent);
	head = malloc(size + 1);
	memcpy(head, data, size);
	head[size] = '\0';
	if (fl_ws_handshake_judge(&shake, head, &status, &retry_ns, why,
				  sizeof(why)) == FL_WS_AGREED)
		assert(status == 101);
	else
		assert(why[0]);
	free(head);
	return 0;
}
