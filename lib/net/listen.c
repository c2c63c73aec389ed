/* listen: see listen.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "net/tls.h"

#define SHAKE_NS (10 * FL_SECOND) /* a handshake takes at most */
#define QUIET_NS FL_MINUTE        /* whoever was silent longer may have to go */
#define DRAIN_NS FL_SECOND        /* reading on after a stop takes at most */

enum {
	WAIT_MS = 100,
	TURN = 256, /* datagrams of one socket before the next has its turn */
	DATAGRAM_MAX = 65536,
	RECEIVE_SIZE = 8 * 1024 * 1024,
	BACKLOG = 511,
	ADDRESS_MAX = 64,
	CONTROL_SIZE = 256,
};

enum kind {
	UDP,
	TCP,
	TLS,
};

static const char *const kinds[] = { "udp", "tcp", "tls" };

struct door {
	int fd;
	enum kind kind;
	uint32_t dropped; /* as the kernel counts, from the socket's birth */
	char text[ADDRESS_MAX + 16];
};

struct peer {
	int fd;
	enum kind kind;
	struct fl_tls_conn *tls;
	bool shaking, ended, closed;
	short events;
	int64_t seen_ns;
	char address[ADDRESS_MAX];
	struct fl_syslog_frames frames;
};

struct fl_listen {
	struct fl_listen_options options;
	struct door *doors;
	size_t door_count;
	struct peer **peers;
	size_t peer_count;
	struct pollfd *polled; /* doors, then peers, as they were then */
	size_t polled_count, at, turn;
	struct peer *now; /* may have more frames */
	char *datagram;
	char address[ADDRESS_MAX]; /* of the last datagram's sender */
	uint64_t dropped, bytes;
	bool told, stopping;
	int64_t stop_ns;
};

/* --- places --- */

struct place {
	enum kind kind;
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
		if ((size_t)(colon - text) != strlen(kinds[i]) ||
		    strncmp(text, kinds[i], strlen(kinds[i])) != 0)
			continue;
		place->kind = (enum kind)i;
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

int fl_listen_check(const char *text, struct fl_error *err)
{
	struct place place;

	return parse_place(text, &place, err);
}

static void show_address(const struct sockaddr *address, socklen_t len,
			 char *host, char *port)
{
	char name[ADDRESS_MAX], service[8];
	const char *at = name;

	if (getnameinfo(address, len, name, sizeof(name), service,
			sizeof(service), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		strcpy(name, "unknown");
	if (strncmp(at, "::ffff:", 7) == 0 && strchr(at, '.'))
		at += 7;
	snprintf(host, ADDRESS_MAX, "%s", at);
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

static int open_socket(const struct addrinfo *at, bool any, enum kind kind)
{
	int on = 1, off = 0, size = RECEIVE_SIZE;
	int fd = socket(at->ai_family,
			at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (at->ai_family == AF_INET6 && any)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off,
				 sizeof(off));
	if (kind == UDP) {
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
	    (kind != UDP && listen(fd, BACKLOG) < 0)) {
		int code = errno;

		close(fd);
		errno = code;
		return -1;
	}
	return fd;
}

static int open_door(struct fl_listen *listen, const char *text,
		     struct fl_error *err)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	struct door *door = &listen->doors[listen->door_count];
	char host[ADDRESS_MAX], port[8];
	struct place place = { .kind = UDP };
	bool any;
	int code;

	if (parse_place(text, &place, err) < 0)
		return -1;
	any = !*place.address;
	hints.ai_socktype = place.kind == UDP ? SOCK_DGRAM : SOCK_STREAM;
	code = getaddrinfo(any ? "::" : place.address, place.port, &hints,
			   &found);
	if (code != 0)
		return fl_error_set(err, FL_ERR_USAGE,
				    "cannot listen at '%s': %s", text,
				    gai_strerror(code));
	door->fd = open_socket(found, any, place.kind);
	freeaddrinfo(found);
	/* A machine without IPv6. */
	if (door->fd < 0 && any && errno == EAFNOSUPPORT &&
	    getaddrinfo("0.0.0.0", place.port, &hints, &found) == 0) {
		door->fd = open_socket(found, any, place.kind);
		freeaddrinfo(found);
	}
	if (door->fd < 0)
		return refused(text, err);
	door->kind = place.kind;
	door->dropped = 0;
	listen->door_count++;
	if (getsockname(door->fd, (struct sockaddr *)&address, &len) < 0)
		return refused(text, err);
	show_address((struct sockaddr *)&address, len, host, port);
	snprintf(door->text, sizeof(door->text),
		 strchr(host, ':') ? "%s [%s]:%s" : "%s %s:%s",
		 kinds[place.kind], host, port);
	return 0;
}

int fl_listen_open(struct fl_listen **out,
		   const struct fl_listen_options *options,
		   struct fl_error *err)
{
	struct fl_listen *listen = fl_zalloc(sizeof(*listen));
	size_t count = 0;

	*out = listen;
	listen->options = *options;
	listen->datagram = fl_alloc(DATAGRAM_MAX);
	while (options->places[count])
		count++;
	listen->doors = fl_zalloc((count + 1) * sizeof(*listen->doors));
	for (size_t i = 0; i < count; i++)
		if (open_door(listen, options->places[i], err) < 0) {
			fl_listen_close(out);
			return -1;
		}
	return 0;
}

const char *fl_listen_place(const struct fl_listen *listen, size_t i)
{
	return i < listen->door_count ? listen->doors[i].text : "";
}

void fl_listen_stop(struct fl_listen *listen)
{
	if (listen->stopping)
		return;
	listen->stopping = true;
	listen->stop_ns = fl_monotonic_ns();
}

uint64_t fl_listen_dropped(const struct fl_listen *listen)
{
	return listen->dropped;
}

uint64_t fl_listen_bytes(const struct fl_listen *listen)
{
	return listen->bytes;
}

/* --- peers --- */

static void tell(const struct fl_listen *listen, const struct peer *peer,
		 const char *what)
{
	char text[400];

	if (!listen->options.tell)
		return;
	snprintf(text, sizeof(text), "%s %s: %s", kinds[peer->kind],
		 peer->address, what);
	listen->options.tell(listen->options.tell_arg, text);
}

static void close_peer(struct peer *peer)
{
	if (peer->closed)
		return;
	fl_tls_end(&peer->tls);
	close(peer->fd);
	fl_syslog_release(&peer->frames);
	peer->closed = true;
}

static void forget_closed(struct fl_listen *listen)
{
	size_t kept = 0;

	for (size_t i = 0; i < listen->peer_count; i++) {
		if (listen->peers[i]->closed)
			free(listen->peers[i]);
		else
			listen->peers[kept++] = listen->peers[i];
	}
	listen->peer_count = kept;
}

/* Handshakes that take too long; and when nobody more can be taken, the one
 * that has been silent longest. */
static void close_late(struct fl_listen *listen)
{
	int64_t now = fl_monotonic_ns();
	struct peer *quiet = NULL;

	for (size_t i = 0; i < listen->peer_count; i++) {
		struct peer *peer = listen->peers[i];

		if (peer->shaking && now - peer->seen_ns > SHAKE_NS) {
			tell(listen, peer, "no handshake within 10 s");
			close_peer(peer);
		} else if (!quiet || peer->seen_ns < quiet->seen_ns) {
			quiet = peer;
		}
	}
	if (listen->peer_count >= listen->options.max_peers && quiet &&
	    !quiet->closed && now - quiet->seen_ns > QUIET_NS) {
		tell(listen, quiet, "silent for a minute, and others wait");
		quiet->ended = true;
	}
	forget_closed(listen);
}

static void accept_peers(struct fl_listen *listen, const struct door *door)
{
	while (listen->peer_count < listen->options.max_peers) {
		struct sockaddr_storage address;
		socklen_t len = sizeof(address);
		struct peer *peer;
		int fd = accept4(door->fd, (struct sockaddr *)&address, &len,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE) &&
		    listen->peer_count)
			listen->options.max_peers = listen->peer_count;
		if (fd < 0)
			return;
		peer = fl_zalloc(sizeof(*peer));
		peer->fd = fd;
		peer->kind = door->kind;
		peer->events = POLLIN;
		peer->seen_ns = fl_monotonic_ns();
		show_address((struct sockaddr *)&address, len, peer->address,
			     NULL);
		fl_syslog_init(&peer->frames, listen->options.framing,
			       listen->options.max_message);
		if (door->kind == TLS) {
			peer->tls = fl_tls_accept(listen->options.tls, fd);
			peer->shaking = true;
		}
		listen->peers =
			fl_realloc(listen->peers, listen->peer_count + 1,
				   sizeof(struct peer *));
		listen->peers[listen->peer_count++] = peer;
	}
}

/* Read a chunk: 1 there is one; 0 not now, or no more. */
static int read_peer(struct fl_listen *listen, struct peer *peer)
{
	struct fl_error err = { .code = FL_OK };
	ssize_t got;
	size_t size;
	char *space;

	if (peer->shaking) {
		int done = fl_tls_shake(peer->tls, &peer->events, &err);

		if (done < 0) {
			tell(listen, peer, err.text);
			close_peer(peer);
		}
		if (done <= 0)
			return 0;
		peer->shaking = false;
		peer->events = POLLIN;
	}
	space = fl_syslog_space(&peer->frames, &size);
	if (peer->tls) {
		got = fl_tls_read(peer->tls, space, size, &peer->events, &err);
		if (got == -1)
			return 0;
		if (got == -2)
			tell(listen, peer, err.text);
	} else {
		got = recv(peer->fd, space, size, MSG_DONTWAIT);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (got < 0)
			tell(listen, peer, strerror(errno));
	}
	peer->seen_ns = fl_monotonic_ns();
	if (got <= 0) {
		peer->ended = true;
		return 1; /* what was left of the last message */
	}
	listen->bytes += (uint64_t)got;
	fl_syslog_fed(&peer->frames, (size_t)got);
	return 1;
}

/* The next message of the peer at hand; false: it has none now. */
static bool give_frame(struct fl_listen *listen,
		       struct fl_listen_message *message)
{
	struct peer *peer = listen->now;
	struct fl_syslog_frame frame;
	int got = fl_syslog_next(&peer->frames, &frame, peer->ended);

	if (got == 0) {
		listen->now = NULL;
		if (peer->ended)
			close_peer(peer);
		return false;
	}
	*message = (struct fl_listen_message){
		.bytes = frame.bytes,
		.len = frame.len,
		.whole = frame.whole,
		.cut = frame.cut,
		.unframed = got < 0,
		.peer = peer->address,
		.place = kinds[peer->kind],
	};
	if (got < 0) {
		/* Closed at the next call: the message borrows from it. */
		peer->ended = true;
		peer->frames.at = peer->frames.len;
		tell(listen, peer, "no frame of RFC 6587; closed");
	}
	return true;
}

/* --- datagrams --- */

static void count_dropped(struct fl_listen *listen, struct door *door,
			  struct msghdr *header)
{
	for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at;
	     at = CMSG_NXTHDR(header, at)) {
		uint32_t count;

		if (at->cmsg_level != SOL_SOCKET ||
		    at->cmsg_type != SO_RXQ_OVFL)
			continue;
		memcpy(&count, CMSG_DATA(at), sizeof(count));
		listen->dropped += count - door->dropped;
		door->dropped = count;
	}
}

static bool give_datagram(struct fl_listen *listen, struct door *door,
			  struct fl_listen_message *message)
{
	struct sockaddr_storage address;
	_Alignas(struct cmsghdr) char control[CONTROL_SIZE];
	struct iovec part = { listen->datagram, DATAGRAM_MAX };
	struct msghdr header = {
		.msg_name = &address,
		.msg_namelen = sizeof(address),
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got = recvmsg(door->fd, &header, MSG_DONTWAIT);
	size_t len;

	if (got < 0)
		return false;
	count_dropped(listen, door, &header);
	listen->bytes += (uint64_t)got;
	show_address((struct sockaddr *)&address, header.msg_namelen,
		     listen->address, NULL);
	len = (size_t)got;
	*message = (struct fl_listen_message){
		.bytes = listen->datagram,
		.len = len,
		.whole = len > listen->options.max_message ? len : 0,
		.peer = listen->address,
		.place = kinds[UDP],
	};
	return true;
}

/* --- turns --- */

static void fill_polled(struct fl_listen *listen)
{
	bool full = listen->peer_count >= listen->options.max_peers;
	size_t count = listen->door_count + listen->peer_count;

	listen->polled =
		fl_realloc(listen->polled, count + 1, sizeof(struct pollfd));
	for (size_t i = 0; i < listen->door_count; i++) {
		const struct door *door = &listen->doors[i];
		bool shut = door->kind != UDP && (full || listen->stopping);

		listen->polled[i] =
			(struct pollfd){ shut ? -1 : door->fd, POLLIN, 0 };
	}
	for (size_t i = 0; i < listen->peer_count; i++)
		listen->polled[listen->door_count + i] =
			(struct pollfd){ listen->peers[i]->fd,
					 listen->peers[i]->events, 0 };
	listen->polled_count = count;
}

/* At the turn of polled[at]: true a message. */
static bool take_turn(struct fl_listen *listen,
		      struct fl_listen_message *message)
{
	size_t i = listen->at;
	struct peer *peer;

	if (i >= listen->door_count) {
		peer = listen->peers[i - listen->door_count];
		listen->at++;
		if (peer->closed ||
		    (!listen->polled[i].revents && !peer->ended))
			return false;
		if (!peer->ended && !read_peer(listen, peer))
			return false;
		listen->now = peer;
		return give_frame(listen, message);
	}
	if (listen->polled[i].revents && listen->doors[i].kind != UDP) {
		accept_peers(listen, &listen->doors[i]);
	} else if (listen->polled[i].revents && listen->turn < TURN &&
		   give_datagram(listen, &listen->doors[i], message)) {
		listen->turn++;
		return true;
	}
	listen->turn = 0;
	listen->at++;
	return false;
}

/* Everybody's last words: what was read of a message that never ended. */
static bool end_peers(struct fl_listen *listen)
{
	bool any = false;

	for (size_t i = 0; i < listen->peer_count; i++) {
		struct peer *peer = listen->peers[i];

		if (!peer->closed && !peer->ended) {
			peer->ended = true;
			any = true;
		}
	}
	return any;
}

int fl_listen_next(struct fl_listen *listen, struct fl_listen_message *message,
		   struct fl_error *err)
{
	for (;;) {
		int64_t now;
		int ready;

		if (listen->now && give_frame(listen, message))
			return 1;
		while (listen->at < listen->polled_count)
			if (take_turn(listen, message))
				return 1;
		close_late(listen);
		fill_polled(listen);
		ready = poll(listen->polled, listen->polled_count,
			     listen->told && !listen->stopping ? WAIT_MS : 0);
		if (ready < 0 && errno != EINTR)
			return fl_error_set(err, FL_ERR_AGAIN,
					    "cannot wait for messages: %s",
					    strerror(errno));
		listen->at = 0;
		listen->turn = 0;
		now = fl_monotonic_ns();
		if (ready > 0 &&
		    !(listen->stopping && now - listen->stop_ns > DRAIN_NS)) {
			listen->told = false;
			continue;
		}
		if (ready < 0)
			listen->polled_count = 0; /* revents say nothing */
		if (listen->stopping) {
			if (end_peers(listen)) {
				for (size_t i = 0; i < listen->polled_count;
				     i++)
					listen->polled[i].revents = 0;
				fill_polled(listen);
				continue;
			}
			return 0;
		}
		listen->told = true;
		return 2;
	}
}

void fl_listen_close(struct fl_listen **out)
{
	struct fl_listen *listen = *out;

	*out = NULL;
	if (!listen)
		return;
	for (size_t i = 0; i < listen->peer_count; i++) {
		close_peer(listen->peers[i]);
		free(listen->peers[i]);
	}
	for (size_t i = 0; i < listen->door_count; i++)
		close(listen->doors[i].fd);
	free(listen->peers);
	free(listen->doors);
	free(listen->polled);
	free(listen->datagram);
	free(listen);
}
