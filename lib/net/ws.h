/* ws: a WebSocket, client side (RFC 6455).
 *
 * Bytes in and out; what they mean is the caller's affair. Connection and TLS
 * are those of net/link.h, for libcurl's own WebSocket is missing in Debian 12
 * (7.88) and was an experiment before 8.11. Frames are wslay's to read and
 * write; fragments, control frames and ceilings are here, the handshake is in
 * ws-handshake.c.
 *
 * One object is one connection: who wants another one opens another one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_NET_WS_H
#define FL_NET_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/time.h"
#include "io/io.h"

#define FL_WS_MESSAGE ((size_t)1 << 20) /* bytes of one, by default */

struct fl_ws;

struct fl_ws_settings {
	const char *url;     /* ws or wss */
	const char *agent;   /* User-Agent */
	const char *ca_file; /* PEM; NULL: the system's authorities */
	int64_t connect_ns;  /* until the handshake is done, all of it */
	int64_t stall_ns;    /* with nothing coming; a ping is sent at half */
	int64_t close_ns;    /* for the other side's goodbye */
	size_t max_message;  /* bytes, all fragments together */
};
#define FL_WS_SETTINGS                                                         \
	{                                                                      \
		.agent = "FinanceLake", .connect_ns = 10 * FL_SECOND,          \
		.stall_ns = 30 * FL_SECOND, .close_ns = FL_SECOND,             \
		.max_message = FL_WS_MESSAGE                                   \
	}

enum fl_ws_kind {
	FL_WS_NOTHING, /* came within wait_ns */
	FL_WS_UP,      /* the handshake is done: from now on one may send */
	FL_WS_DATA,    /* a whole message */
	FL_WS_SPOILED, /* what came of one that has no end, is too long or is
			* not what it says; `why` tells. DOWN follows */
	FL_WS_DOWN,    /* the connection is gone, or there never was one. For
			* ever */
};

enum fl_ws_spoilt {
	FL_WS_TORN,     /* it has no end */
	FL_WS_NOT_UTF8, /* a text that is none */
	FL_WS_TOO_LONG, /* above max_message */
	FL_WS_NO_FRAME, /* against the rules of frames; `bytes` may be those
			 * from the network, or none */
};

enum fl_ws_fault {
	FL_WS_BYE,      /* closed in good order, by us */
	FL_WS_CLOSED,   /* by the other side, in good order */
	FL_WS_NETWORK,  /* no name, no connection, cut, nothing for too long */
	FL_WS_TLS,      /* a certificate that cannot be verified */
	FL_WS_STATUS,   /* the handshake was answered with another status */
	FL_WS_PROTOCOL, /* what came is no WebSocket's */
};

struct fl_ws_news {
	enum fl_ws_kind kind;
	bool text;         /* of DATA and SPOILED: else binary */
	const char *bytes; /* borrowed until the next call; DATA that is text
			    * is UTF-8 */
	size_t len;
	enum fl_ws_spoilt how;  /* of SPOILED */
	enum fl_ws_fault fault; /* of DOWN */
	char why[300];          /* "closed by the other side (1001)" */
	unsigned status;        /* of STATUS */
	int64_t retry_after_ns; /* of STATUS; 0: it did not say */
};

/* Begin to connect; nothing is waited for.
 * errors  FL_ERR_USAGE no such URL; built without libcurl or wslay, or none on
 *         this machine; FL_ERR_IO ca_file cannot be read */
int fl_ws_open(struct fl_ws **ws, const struct fl_ws_settings *settings,
	       struct fl_error *err);
/* What happens next; waits for it, but no longer than wait_ns. Pings are
 * answered, pongs are swallowed, and what was sent goes out meanwhile. */
void fl_ws_next(struct fl_ws *ws, struct fl_ws_news *news, int64_t wait_ns);
/* Queue a text message. Nothing before UP and after goodbye. */
void fl_ws_send(struct fl_ws *ws, const char *text, size_t len);
/* Say goodbye: what is on its way still comes, then DOWN, within close_ns. */
void fl_ws_bye(struct fl_ws *ws);
/* Now, without a goodbye unless one was said. NULL is fine; sets NULL. */
void fl_ws_close(struct fl_ws **ws);

/* What comes of bytes that a server sends behind a good handshake; no network
 * is needed. For tests.
 *
 * each   takes everything up to DOWN
 * sent   what we sent meanwhile, the frames of it (masked); NULL: not wanted */
void fl_ws_replay(const struct fl_ws_settings *settings, const char *bytes,
		  size_t len,
		  void (*each)(void *arg, const struct fl_ws_news *news),
		  void *arg, struct fl_buf *sent);

#endif
