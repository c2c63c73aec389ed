/* place: where one listens: udp:[ADDR]:PORT, tcp:… or tls:….
 *
 * Without ADDR it is every address of the machine, of both families.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_NET_PLACE_H
#define FL_NET_PLACE_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/error.h"

enum fl_place_kind {
	FL_PLACE_UDP,
	FL_PLACE_TCP,
	FL_PLACE_TLS,
};
extern const char *const fl_place_kinds[]; /* "udp" … */

enum {
	FL_PLACE_ADDRESS = 64, /* an address as text */
};

struct fl_place {
	int fd; /* the caller's to close; -1: not open */
	enum fl_place_kind kind;
	char text[FL_PLACE_ADDRESS + 16]; /* with the port that it got */
};

/* Is the text such a place?  errors  FL_ERR_USAGE */
int fl_place_check(const char *text, struct fl_error *err);
/* Have a socket there that does not block.
 * errors  FL_ERR_USAGE, FL_ERR_AGAIN the port is in use, FL_ERR_REFUSED it is
 *         not for us */
int fl_place_open(const char *text, struct fl_place *place,
		  struct fl_error *err);
/* An address in numbers, IPv4 without ::ffff: in front.
 * host  of FL_PLACE_ADDRESS bytes; port: of 8, or NULL */
void fl_place_address(const struct sockaddr *address, socklen_t len, char *host,
		      char *port);

#endif
