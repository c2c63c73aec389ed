/* place: see place.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/place.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	RECEIVE_SIZE = 8 * 1024 * 1024,
	BACKLOG = 511,
};

const char *const fl_place_kinds[] = { "udp", "tcp", "tls" };

struct place {
	enum fl_place_kind kind;
	char address[256]; /* "": any */
	char port[8];
};

static int parse_place(const char *text, struct place *place,
		       struct fl_error *err)
{
	const char *colon = strchr(text, ':'), *port = strrchr(text, ':');
	const char *from, *to;
	char *end;
	long number;

	for (int i = 0; colon && i < 3; i++) {
		if ((size_t)(colon - text) != strlen(fl_place_kinds[i]) ||
		    strncmp(text, fl_place_kinds[i],
			    strlen(fl_place_kinds[i])) != 0)
			continue;
		place->kind = (enum fl_place_kind)i;
		from = colon + 1;
		to = port > colon ? port : from;
		if (to > from + 1 && *from == '[' && to[-1] == ']') {
			from++;
			to--;
		}
		port = port > colon ? port + 1 : colon + 1;
		number = strtol(port, &end, 10);
		if (!*port || *end || number < 0 || number > 65535 ||
		    (size_t)(to - from) >= sizeof(place->address))
			break;
		snprintf(place->address, sizeof(place->address), "%.*s",
			 (int)(to - from), from);
		snprintf(place->port, sizeof(place->port), "%ld", number);
		return 0;
	}
	return fl_error_set(err, FL_ERR_USAGE,
			    "'%s' is no place to listen at: udp::5514, "
			    "tcp:127.0.0.1:5514, tls:[::1]:6514",
			    fl_show(text, strlen(text), 100));
}

void fl_place_address(const struct sockaddr *address, socklen_t len, char *host,
		      char *port)
{
	char name[FL_PLACE_ADDRESS], service[8];
	const char *at = name;

	if (getnameinfo(address, len, name, sizeof(name), service,
			sizeof(service), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		strcpy(name, "unknown");
	if (strncmp(at, "::ffff:", 7) == 0 && strchr(at, '.'))
		at += 7;
	snprintf(host, FL_PLACE_ADDRESS, "%s", at);
	if (port)
		snprintf(port, sizeof(service), "%s", service);
}

static int refused(const char *text, struct fl_error *err)
{
	int code = errno;

	if (code == EACCES || code == EPERM)
		return fl_error_set(err, FL_ERR_REFUSED,
				    "cannot listen at '%s': %s; ports below "
				    "1024 are for root, or for "
				    "CAP_NET_BIND_SERVICE",
				    text, strerror(code));
	return fl_error_set(err, FL_ERR_AGAIN, "cannot listen at '%s': %s",
			    text, strerror(code));
}

static int open_socket(const struct addrinfo *at, bool any,
		       enum fl_place_kind kind)
{
	int on = 1, off = 0, size = RECEIVE_SIZE;
	int fd = socket(at->ai_family,
			at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (at->ai_family == AF_INET6 && any)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off,
				 sizeof(off));
	if (kind == FL_PLACE_UDP) {
		/* Bursts wait there while we are busy; more than the system's
		 * ceiling takes a privilege. */
		if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
			       sizeof(size)) < 0)
			(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size,
					 sizeof(size));
		(void)setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
	} else {
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	}
	if (bind(fd, at->ai_addr, at->ai_addrlen) < 0 ||
	    (kind != FL_PLACE_UDP && listen(fd, BACKLOG) < 0)) {
		int code = errno;

		close(fd);
		errno = code;
		return -1;
	}
	return fd;
}

int fl_place_check(const char *text, struct fl_error *err)
{
	struct place place;

	return parse_place(text, &place, err);
}

int fl_place_open(const char *text, struct fl_place *out, struct fl_error *err)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	char host[FL_PLACE_ADDRESS], port[8];
	struct place place = { .kind = FL_PLACE_UDP };
	bool any;
	int code;

	*out = (struct fl_place){ .fd = -1 };
	if (parse_place(text, &place, err) < 0)
		return -1;
	any = !*place.address;
	hints.ai_socktype =
		place.kind == FL_PLACE_UDP ? SOCK_DGRAM : SOCK_STREAM;
	code = getaddrinfo(any ? "::" : place.address, place.port, &hints,
			   &found);
	if (code != 0)
		return fl_error_set(err, FL_ERR_USAGE,
				    "cannot listen at '%s': %s", text,
				    gai_strerror(code));
	out->kind = place.kind;
	out->fd = open_socket(found, any, place.kind);
	freeaddrinfo(found);
	/* A machine without IPv6. */
	if (out->fd < 0 && any && errno == EAFNOSUPPORT &&
	    getaddrinfo("0.0.0.0", place.port, &hints, &found) == 0) {
		out->fd = open_socket(found, any, place.kind);
		freeaddrinfo(found);
	}
	if (out->fd < 0)
		return refused(text, err);
	if (getsockname(out->fd, (struct sockaddr *)&address, &len) < 0) {
		refused(text, err);
		close(out->fd);
		out->fd = -1;
		return -1;
	}
	fl_place_address((struct sockaddr *)&address, len, host, port);
	snprintf(out->text, sizeof(out->text),
		 strchr(host, ':') ? "%s [%s]:%s" : "%s %s:%s",
		 fl_place_kinds[place.kind], host, port);
	return 0;
}
