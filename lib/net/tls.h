/* tls: the server's end of TLS, by OpenSSL's libssl, which is loaded when it is
 * first needed: fl-fetch has many sources, and one of them listens.
 *
 * source  RFC 5425 section 4.2 (a certificate for the server, one for the
 * client if it is asked for); TLS 1.2 and up SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef FL_NET_TLS_H
#define FL_NET_TLS_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct fl_tls;
struct fl_tls_conn;

/* cert and key: PEM files; ca: whose clients' certificates are taken, and then
 * one is wanted; NULL: none.
 * errors  FL_ERR_USAGE no libssl.so.3; FL_ERR_REFUSED a file that cannot be
 *         used, with OpenSSL's words */
int fl_tls_open(struct fl_tls **tls, const char *cert, const char *key,
		const char *ca, struct fl_error *err);
void fl_tls_close(struct fl_tls **tls);

/* A connection that was accepted; `fd` does not block, and stays the caller's.
 */
struct fl_tls_conn *fl_tls_accept(struct fl_tls *tls, int fd);
/* Go on with the handshake: 1 done; 0 wait for *events (poll's); -1 with err */
int fl_tls_shake(struct fl_tls_conn *conn, short *events, struct fl_error *err);
/* How many bytes; 0 the peer has ended it; -1 wait for *events; -2 with err */
ssize_t fl_tls_read(struct fl_tls_conn *conn, void *bytes, size_t size,
		    short *events, struct fl_error *err);
void fl_tls_end(struct fl_tls_conn **conn);

#endif
