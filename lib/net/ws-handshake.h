/* ws-handshake: how an HTTP connection becomes a WebSocket (RFC 6455, 4).
 *
 * Texts in and out, no network: net/ws.c sends and receives them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_NET_WS_HANDSHAKE_H
#define FL_NET_WS_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

struct fl_ws_handshake {
	bool secure;     /* wss */
	char *authority; /* "host", "[::1]:81" */
	char *path;      /* with the query: "/?version=2" */
	char key[25];    /* Sec-WebSocket-Key, a new one each time */
};

enum fl_ws_shaken {
	FL_WS_AGREED,
	FL_WS_REFUSED, /* another status than 101 */
	FL_WS_ALIEN,   /* no WebSocket's answer to this */
};

/* Take a URL apart, ws[s]://AUTHORITY[/PATH][?QUERY].
 * errors  FL_ERR_USAGE */
int fl_ws_handshake_init(struct fl_ws_handshake *shake, const char *url,
			 struct fl_error *err);
void fl_ws_handshake_release(struct fl_ws_handshake *shake);
/* Append the request. */
void fl_ws_handshake_ask(const struct fl_ws_handshake *shake, const char *agent,
			 struct fl_buf *out);
/* Judge the head of the answer, up to its empty line.
 *
 * status       out: of the answer; 0: it has none
 * retry_ns     out: of Retry-After in seconds, an hour at the most; 0: none
 * why          out: of all but AGREED */
enum fl_ws_shaken fl_ws_handshake_judge(const struct fl_ws_handshake *shake,
					const char *head, unsigned *status,
					int64_t *retry_ns, char *why,
					size_t size);

#endif
