/* stream: quotes as Yahoo's WebSocket sends them, while it sends them.
 *
 * proto.c reads the protobuf inside a message, tick.c makes a record of a
 * message, stream.c keeps the connection up.
 *
 * source  sources.md, 1.5
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_YAHOO_STREAM_H
#define FL_SOURCE_YAHOO_STREAM_H

#include "base/option.h"
#include "io/json.h"
#include "source/source.h"

/* --- tick.c --- */

enum fl_yahoo_tick {
	FL_YAHOO_TICK,   /* a record */
	FL_YAHOO_PASSED, /* nothing about a price: an unknown type, a heartbeat
			  */
	FL_YAHOO_BAD,    /* with reason and note */
};

/* What is kept between messages: memory only. */
struct fl_yahoo_ticker {
	struct fl_json json;
	struct fl_buf wire; /* the protobuf */
	struct fl_buf line; /* the record */
	bool rounded;       /* a number had to be cut to 18 digits */
	enum fl_reason reason;
	struct fl_note note;
};

/* Take a message: {"type":"pricing","message":BASE64}, or BASE64 alone as it
 * was before version=2.
 *
 * recv_ns  when it arrived
 * item     of a TICK: the record, borrowed until the next call */
enum fl_yahoo_tick fl_yahoo_tick(struct fl_yahoo_ticker *ticker,
				 const char *message, size_t len,
				 int64_t recv_ns, struct fl_item *item);
void fl_yahoo_ticker_release(struct fl_yahoo_ticker *ticker);

/* --- stream.c --- */

extern const struct fl_option fl_yahoo_stream_options[];
bool fl_yahoo_streams(void); /* --stream was given */
/* open, next, close and tell of the source under --stream. */
int fl_yahoo_stream_open(void **state, const struct fl_ask *ask,
			 struct fl_error *err);
int fl_yahoo_stream_next(void *state, struct fl_item *item,
			 struct fl_error *err);
void fl_yahoo_stream_close(void *state);
void fl_yahoo_stream_tell(void *state, char *text, size_t size);

#endif
