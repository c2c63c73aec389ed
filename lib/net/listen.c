/* listen: see listen.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "net/place.h"
#include "net/tls.h"

#define SHAKE_NS (10 * FL_SECOND) /* a handshake takes at most */
#define QUIET_NS FL_MINUTE        /* whoever was silent longer may have to go */
#define DRAIN_NS FL_SECOND        /* reading on after a stop takes at most */

enum {
	WAIT_MS = 100,
	TURN = 256, /* datagrams of one socket before the next has its turn */
	DATAGRAM_MAX = 65536,
	CONTROL_SIZE = 256,
};

struct door {
	struct fl_place place;
	uint32_t dropped; /* as the kernel counts, from the socket's birth */
};

struct peer {
	int fd;
	enum fl_place_kind kind;
	struct fl_tls_conn *tls;
	bool shaking, ended, closed;
	short events;
	int64_t seen_ns;
	char address[FL_PLACE_ADDRESS];
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
	char address[FL_PLACE_ADDRESS]; /* of the last datagram's sender */
	uint64_t dropped, bytes;
	bool told, stopping;
	int64_t stop_ns;
};

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
	for (; listen->door_count < count; listen->door_count++) {
		size_t i = listen->door_count;

		if (fl_place_open(options->places[i], &listen->doors[i].place,
				  err) < 0) {
			fl_listen_close(out);
			return -1;
		}
	}
	return 0;
}

const char *fl_listen_place(const struct fl_listen *listen, size_t i)
{
	return i < listen->door_count ? listen->doors[i].place.text : "";
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
	snprintf(text, sizeof(text), "%s %s: %s", fl_place_kinds[peer->kind],
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
		int fd = accept4(door->place.fd, (struct sockaddr *)&address,
				 &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE) &&
		    listen->peer_count)
			listen->options.max_peers = listen->peer_count;
		if (fd < 0)
			return;
		peer = fl_zalloc(sizeof(*peer));
		peer->fd = fd;
		peer->kind = door->place.kind;
		peer->events = POLLIN;
		peer->seen_ns = fl_monotonic_ns();
		fl_place_address((struct sockaddr *)&address, len,
				 peer->address, NULL);
		fl_syslog_init(&peer->frames, listen->options.framing,
			       listen->options.max_message);
		if (door->place.kind == FL_PLACE_TLS) {
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
		.place = fl_place_kinds[peer->kind],
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
	ssize_t got = recvmsg(door->place.fd, &header, MSG_DONTWAIT);
	size_t len;

	if (got < 0)
		return false;
	count_dropped(listen, door, &header);
	listen->bytes += (uint64_t)got;
	fl_place_address((struct sockaddr *)&address, header.msg_namelen,
			 listen->address, NULL);
	len = (size_t)got;
	*message = (struct fl_listen_message){
		.bytes = listen->datagram,
		.len = len,
		.whole = len > listen->options.max_message ? len : 0,
		.peer = listen->address,
		.place = fl_place_kinds[FL_PLACE_UDP],
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
		bool shut = door->place.kind != FL_PLACE_UDP &&
			    (full || listen->stopping);

		listen->polled[i] = (struct pollfd){ shut ? -1 : door->place.fd,
						     POLLIN, 0 };
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
	if (listen->polled[i].revents &&
	    listen->doors[i].place.kind != FL_PLACE_UDP) {
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
		close(listen->doors[i].place.fd);
	free(listen->peers);
	free(listen->doors);
	free(listen->polled);
	free(listen->datagram);
	free(listen);
}
