/* listen: messages that come by UDP, TCP and TLS, from many peers at once.
 *
 * One thread and poll(): what is done with a message costs more than its
 * arrival. Nobody can hold up the others: a peer gives what it has sent, a
 * chunk at its turn.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_NET_LISTEN_H
#define FL_NET_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/syslog.h"

struct fl_listen;
struct fl_tls;

struct fl_listen_options {
	const char *const *places; /* as in net/place.h; NULL-ended */
	struct fl_tls *tls;        /* for those of tls; borrowed */
	enum fl_syslog_framing framing;
	size_t max_message;
	size_t max_peers;
	void (*tell)(void *arg, const char *text); /* what befell a peer; NULL
						    */
	void *tell_arg;
};

struct fl_listen_message {
	const char *bytes; /* borrowed until the next call */
	size_t len;
	uint64_t whole;    /* of one over the ceiling: its bytes; else 0 */
	bool cut;          /* the connection ended inside of it */
	bool unframed;     /* no frame begins so: the connection is closed */
	const char *peer;  /* its address */
	const char *place; /* udp, tcp or tls */
};

/* errors  those of fl_place_open() */
int fl_listen_open(struct fl_listen **listen,
		   const struct fl_listen_options *options,
		   struct fl_error *err);
/* The places with the ports that they got: "udp 0.0.0.0:5514"; "" after the
 * last. */
const char *fl_listen_place(const struct fl_listen *listen, size_t i);
/* returns 1 a message; 2 nothing yet, having waited at most 100 ms; 0 after
 *         fl_listen_stop, when all that had arrived was given; -1 */
int fl_listen_next(struct fl_listen *listen, struct fl_listen_message *message,
		   struct fl_error *err);
/* Take no more peers, and end when nothing more is there. */
void fl_listen_stop(struct fl_listen *listen);
/* Datagrams that the kernel had no room for, as far as it has told. */
uint64_t fl_listen_dropped(const struct fl_listen *listen);
uint64_t fl_listen_bytes(const struct fl_listen *listen);
/* NULL is fine; sets NULL. */
void fl_listen_close(struct fl_listen **listen);

#endif
