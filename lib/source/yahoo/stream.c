/* stream: quotes as they come; see stream.h.
 *
 * The feed knows no past: what was sent while the connection was gone is gone
 * too, and all one can do is to be back soon and to say from when to when. So
 * each gap is told once, with its times, and the message that the cut tore
 * apart is a reject. Every message that came is used, rejected or filtered.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/yahoo/stream.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "net/mask.h"
#include "net/ws.h"
#include "source/polled.h"
#include "source/yahoo/yahoo.h"

#define URL           "wss://streamer.finance.yahoo.com/?version=2"
#define HEARTBEAT_NS  (15 * FL_SECOND) /* the subscription, again */
#define WAIT_NS       (FL_SECOND / 10)
#define RETRY_MOST_NS FL_MINUTE
#define CLOSE_NS      FL_SECOND
#define MESSAGE_MAX   ((size_t)256 << 10) /* Yahoo's are below 1 KiB */

static struct {
	bool stream;
	const char *url;
	int64_t heartbeat_ns;
} option = { .url = URL, .heartbeat_ns = HEARTBEAT_NS };

const struct fl_option fl_yahoo_stream_options[] = {
	FL_OPT_FLAG(0, "stream", &option.stream,
		    "quotes as they come, until it is ended"),
	FL_OPT_TEXT(0, "yahoo-stream-url", "URL", &option.url,
		    "where --stream connects to "
		    "[wss://streamer.finance.yahoo.com/?version=2]"),
	FL_OPT_DURATION(0, "heartbeat", "DUR", &option.heartbeat_ns,
			"how often --stream says anew what it wants [15s]"),
	FL_OPT_END,
};

struct stream {
	const struct fl_ask *ask;
	struct fl_http_settings network; /* what concerns both */
	char *agent;
	struct fl_ws *ws; /* NULL: none is wanted yet */
	char **symbols;
	size_t count;
	struct fl_buf subscribe; /* the message, whole */
	struct fl_yahoo_ticker ticker;
	char *shown;     /* the address, secrets masked */
	bool up;         /* the handshake was good */
	bool stopping;   /* goodbye was said */
	bool waited;     /* next said 2 */
	int64_t beat_ns; /* when the subscription is due; monotonic */
	int64_t due_ns;  /* when to connect */
	int64_t gone_ns; /* since when there is no connection, by the wall
			  * clock; 0: there is one, or never was */
	int64_t gone_mono_ns;
	char gone_why[300];
	bool gone_told;
	unsigned failures; /* since the last good connection */
	uint64_t connections;
};

bool fl_yahoo_streams(void)
{
	return option.stream;
}

/* --- what is told --- */

static __attribute__((format(printf, 2, 3))) void tell(const struct stream *s,
						       const char *format, ...)
{
	char text[700];
	va_list args;

	if (!s->ask->tell)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	s->ask->tell(s->ask->tell_arg, text);
}

/* To the second, as people tell times. */
static void print_second(int64_t ns, char text[FL_TIME_TEXT])
{
	fl_time_print(ns / 1000000 * 1000000, text);
}

static void tell_back(struct stream *s)
{
	char from[FL_TIME_TEXT], to[FL_TIME_TEXT];
	int64_t took = fl_monotonic_ns() - s->gone_mono_ns;

	print_second(s->gone_ns, from);
	print_second(fl_now_ns(), to);
	tell(s,
	     "stream: connected again; from %s to %s (%lld.%03lld s) there was "
	     "no connection, and quotes of that time are missing: %s",
	     from, to, (long long)(took / FL_SECOND),
	     (long long)(took % FL_SECOND / 1000000), s->gone_why);
	s->gone_ns = 0;
	s->gone_told = false;
}

/* That it is gone, once it is clear that it does not come back at once. */
static void tell_gone(struct stream *s, const char *why)
{
	char from[FL_TIME_TEXT];

	if (s->gone_told)
		return;
	s->gone_told = true;
	print_second(s->gone_ns, from);
	tell(s,
	     "stream: no connection since %s: %s; connecting again failed "
	     "(%s), and is tried on",
	     from, s->gone_why, why);
}

/* --- the connection --- */

static int connect_now(struct stream *s, struct fl_error *err)
{
	struct fl_ws_settings settings = FL_WS_SETTINGS;

	settings.url = option.url;
	settings.agent = s->network.agent;
	settings.ca_file = s->network.ca_file;
	settings.connect_ns = s->network.connect_ns;
	settings.stall_ns = s->network.stall_ns;
	settings.close_ns = CLOSE_NS;
	settings.max_message = MESSAGE_MAX;
	return fl_ws_open(&s->ws, &settings, err);
}

/* How long until the next try: doubled each time, with as much again by chance,
 * so that not all come at once. */
static int64_t back_off(const struct stream *s, int64_t asked_ns)
{
	int64_t wait = s->network.retry_ns;
	uint32_t dice;

	for (unsigned i = 1; i < s->failures && wait < RETRY_MOST_NS / 2; i++)
		wait *= 2;
	if (wait > RETRY_MOST_NS)
		wait = RETRY_MOST_NS;
	fl_random(&dice, sizeof(dice));
	wait += (int64_t)((double)wait * ((double)dice / 4294967296.0));
	return wait > asked_ns ? wait : asked_ns;
}

/* May another try fare better? */
static bool is_passing(const struct fl_ws_news *news)
{
	switch (news->fault) {
	case FL_WS_STATUS:
		return news->status == 408 || news->status == 429 ||
		       (news->status >= 500 && news->status != 501);
	case FL_WS_TLS:
	case FL_WS_PROTOCOL:
		return false;
	default:
		return true;
	}
}

/* No handshake came about. returns 0 to try again, -1 */
static int take_failure(struct stream *s, const struct fl_ws_news *news,
			struct fl_error *err)
{
	bool passing = is_passing(news);

	s->failures++;
	/* Who never was connected gives up soon; who was may have been cut off
	 * for hours, but is not refused for ever. */
	if (s->connections ? !passing && s->failures >= s->network.tries
			   : !passing || s->failures >= s->network.tries)
		return fl_error_set(
			err, passing ? FL_ERR_AGAIN : FL_ERR_REFUSED,
			"cannot connect to '%s': %s (%u %s)%s", s->shown,
			news->why, s->failures,
			s->failures == 1 ? "try" : "tries",
			news->status == 429 ? "; Yahoo counts by address, and "
					      "looks at --user-agent"
					    : "");
	if (s->gone_ns)
		tell_gone(s, news->why);
	return 0;
}

/* The connection is gone. returns 1 to go on, 0 that was wanted, -1 */
static int take_down(struct stream *s, const struct fl_ws_news *news,
		     struct fl_error *err)
{
	int64_t now = fl_monotonic_ns();

	fl_log("stream: %s", news->why);
	fl_ws_close(&s->ws);
	if (s->stopping)
		return 0;
	if (s->up) {
		s->up = false;
		s->gone_ns = fl_now_ns();
		s->gone_mono_ns = now;
		snprintf(s->gone_why, sizeof(s->gone_why), "%s", news->why);
		s->failures = 1;
	} else if (take_failure(s, news, err) < 0) {
		return -1;
	}
	s->due_ns = now + back_off(s, news->retry_after_ns);
	fl_log("stream: connecting again in %lld ms",
	       (long long)((s->due_ns - now) / 1000000));
	return 1;
}

static void subscribe(struct stream *s)
{
	fl_ws_send(s->ws, s->subscribe.data, s->subscribe.len);
	s->beat_ns = fl_monotonic_ns() + option.heartbeat_ns;
}

static void take_up(struct stream *s)
{
	s->up = true;
	s->connections++;
	subscribe(s);
	fl_log("stream: connected, %zu symbols subscribed to", s->count);
	if (s->gone_ns)
		tell_back(s);
}

/* --- messages --- */

static int refuse(struct stream *s, enum fl_reason reason,
		  const struct fl_note *note, const struct fl_ws_news *news,
		  struct fl_error *err)
{
	const struct fl_reject reject = {
		.reason = reason,
		.note = note,
		.input = s->shown,
		.raw = news->bytes,
		.raw_len = news->len,
		.retryable = FL_AGAIN_NO,
	};

	return fl_reject(s->ask->io, &reject, err);
}

/* returns 1 a record; 3 none; -1 */
static int take_message(struct stream *s, const struct fl_ws_news *news,
			struct fl_item *item, struct fl_error *err)
{
	struct fl_counts *counts = &s->ask->io->counts;

	/* One message is enough to believe in the connection. */
	s->failures = 0;
	counts->bytes_in += news->len;
	switch (fl_yahoo_tick(&s->ticker, news->bytes, news->len,
			      fl_now_ns() / 1000 * 1000, item)) {
	case FL_YAHOO_TICK:
		counts->rounded += s->ticker.rounded;
		return 1;
	case FL_YAHOO_PASSED:
		counts->in++;
		counts->filtered++;
		return 3;
	default:
		return refuse(s, s->ticker.reason, &s->ticker.note, news, err) <
				       0
			       ? -1
			       : 3;
	}
}

static int take_spoiled(struct stream *s, const struct fl_ws_news *news,
			struct fl_error *err)
{
	static const enum fl_reason reasons[] = {
		[FL_WS_TORN] = FL_REASON_truncated,
		[FL_WS_NOT_UTF8] = FL_REASON_bad_utf8,
		[FL_WS_TOO_LONG] = FL_REASON_too_long,
		[FL_WS_NO_FRAME] = FL_REASON_unknown_format,
	};
	struct fl_note note;

	s->ask->io->counts.bytes_in += news->len;
	fl_note_set(&note, "", "%s; %zu bytes of it came", news->why,
		    news->len);
	return refuse(s, reasons[news->how], &note, news, err) < 0 ? -1 : 3;
}

/* returns 1 a record; 0 the end; 2 nothing yet; 3 look again; -1 */
static int take_news(struct stream *s, struct fl_item *item,
		     struct fl_error *err)
{
	struct fl_ws_news news;
	int got;

	fl_ws_next(s->ws, &news, s->waited ? WAIT_NS : 0);
	switch (news.kind) {
	case FL_WS_UP:
		take_up(s);
		return 3;
	case FL_WS_DATA:
		return take_message(s, &news, item, err);
	case FL_WS_SPOILED:
		return take_spoiled(s, &news, err);
	case FL_WS_DOWN:
		got = take_down(s, &news, err);
		return got == 1 ? 3 : got;
	default:
		return 2;
	}
}

/* --- the source --- */

/* Between two connections. returns 2, 3, -1 */
static int wait_for_turn(struct stream *s, struct fl_error *err)
{
	int64_t left = s->due_ns - fl_monotonic_ns();
	struct timespec span = { 0, 0 };

	if (left <= 0)
		return connect_now(s, err) < 0 ? -1 : 3;
	if (s->waited) {
		span.tv_nsec = (long)(left < WAIT_NS ? left : WAIT_NS);
		nanosleep(&span, NULL);
	}
	return 2;
}

int fl_yahoo_stream_next(void *state, struct fl_item *item,
			 struct fl_error *err)
{
	struct stream *s = state;

	for (;;) {
		int got;

		if (fl_stop_requested(s->ask->io) && !s->stopping) {
			s->stopping = true;
			if (s->ws)
				fl_ws_bye(s->ws);
		}
		if (s->stopping && !s->ws)
			return 0;
		if (s->ws && s->up && !s->stopping &&
		    fl_monotonic_ns() >= s->beat_ns)
			subscribe(s);
		got = s->ws ? take_news(s, item, err) : wait_for_turn(s, err);
		s->waited = got == 2;
		if (got != 3)
			return got;
	}
}

/* What belongs to the other kind of question would be without effect. */
static int check(const struct fl_ask *ask, struct fl_error *err)
{
	const char *other = fl_yahoo_bars_option();

	for (const char *const *type = ask->types; type && *type; type++) {
		if (strcmp(*type, "quote") != 0)
			return fl_error_set(err, FL_ERR_USAGE,
					    "--stream gives quote; no %s",
					    *type);
	}
	if (ask->from != FL_TIME_NONE || ask->to != FL_TIME_NONE || ask->all ||
	    ask->last)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--stream gives what comes from now on: "
				    "no --from, --to, --range or --last");
	if (!other)
		other = fl_yahoo_list_option();
	if (other)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--stream gives quotes as they come: it "
				    "takes no --%s",
				    other);
	if (option.heartbeat_ns < FL_SECOND / 10)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--heartbeat takes 100ms and more");
	return 0;
}

static void make_subscription(struct stream *s)
{
	fl_buf_puts(&s->subscribe, "{\"subscribe\":[");
	for (; s->symbols[s->count]; s->count++) {
		if (s->count)
			fl_buf_putc(&s->subscribe, ',');
		fl_buf_json_string(&s->subscribe, s->symbols[s->count],
				   strlen(s->symbols[s->count]));
	}
	fl_buf_puts(&s->subscribe, "]}");
}

int fl_yahoo_stream_open(void **state, const struct fl_ask *ask,
			 struct fl_error *err)
{
	struct stream *s = fl_zalloc(sizeof(*s));
	struct fl_buf shown = FL_BUF_INIT;
	const char *from;

	*state = s;
	s->ask = ask;
	fl_url_mask(option.url, &shown);
	s->shown = fl_buf_take(&shown);
	if (check(ask, err) < 0 || fl_polled_stream(&from, err) < 0 ||
	    fl_symbols_read(ask, "yahoo", from, &s->symbols, err) < 0)
		return -1;
	fl_polled_settings(ask, &s->network, &s->agent);
	make_subscription(s);
	return connect_now(s, err);
}

void fl_yahoo_stream_close(void *state)
{
	struct stream *s = state;

	if (!s)
		return;
	if (s->gone_ns) {
		char from[FL_TIME_TEXT];

		print_second(s->gone_ns, from);
		tell(s,
		     "stream: ended without a connection, which was lost at "
		     "%s: %s",
		     from, s->gone_why);
	}
	fl_ws_close(&s->ws);
	fl_symbols_free(s->symbols);
	fl_buf_release(&s->subscribe);
	fl_yahoo_ticker_release(&s->ticker);
	free(s->shown);
	free(s->agent);
	free(s);
}

void fl_yahoo_stream_tell(void *state, char *text, size_t size)
{
	const struct stream *s = state;

	if (s && s->connections)
		snprintf(text, size, "%zu symbol%s, %llu connection%s",
			 s->count, s->count == 1 ? "" : "s",
			 (unsigned long long)s->connections,
			 s->connections == 1 ? "" : "s");
}
