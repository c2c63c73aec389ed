/* link: one connection for bytes in both directions, with TLS or without.
 *
 * Behind it is libcurl (CURLOPT_CONNECT_ONLY), loaded when it is first needed:
 * names, both IP versions, proxies of the environment (through CONNECT), and
 * certificates, which are always verified, are as for HTTP. Nothing here blocks
 * but fl_link_wait.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_NET_LINK_H
#define FL_NET_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct fl_link;

struct fl_link_settings {
	bool secure;           /* TLS */
	const char *authority; /* "host", "host:81", "[::1]:81"; 80 and 443 else
				*/
	const char *agent;     /* what a proxy is told */
	const char *ca_file;   /* PEM; NULL: the system's authorities */
	int64_t connect_ns;
};

enum fl_link_state {
	FL_LINK_CONNECTING,
	FL_LINK_UP,
	FL_LINK_FAILED,
	FL_LINK_UNTRUSTED, /* a certificate that cannot be verified */
};

/* Begin to connect.
 * errors  FL_ERR_USAGE built without libcurl, or none on this machine;
 *         FL_ERR_IO ca_file cannot be read */
int fl_link_open(struct fl_link **link, const struct fl_link_settings *settings,
		 struct fl_error *err);
/* Go on connecting; of use until it no longer says CONNECTING. */
enum fl_link_state fl_link_connect(struct fl_link *link);
/* returns bytes received; 0 the end; -1 none for now; -2 broken */
ssize_t fl_link_receive(struct fl_link *link, void *bytes, size_t size);
/* returns bytes sent, perhaps 0; -2 broken */
ssize_t fl_link_send(struct fl_link *link, const void *bytes, size_t len);
/* Until something comes, may be sent (if wanted), or the time is over. */
void fl_link_wait(struct fl_link *link, bool to_send, int64_t wait_ns);
/* Why it failed or broke, in words. */
const char *fl_link_why(const struct fl_link *link);
void fl_link_close(struct fl_link **link); /* NULL is fine; sets NULL */

#endif
