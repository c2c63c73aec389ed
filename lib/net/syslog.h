/* syslog: messages cut out of a stream of bytes.
 *
 * With octets counted (`123 <13>…`) or ended by LF; which of the two, a
 * connection's first bytes say. Memory is bounded by the ceiling on a message:
 * of a longer one the first 64 KiB are kept, the rest is counted.
 *
 * source  RFC 6587 section 3.4; RFC 5425 section 4.3 has counted octets only
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_NET_SYSLOG_H
#define FL_NET_SYSLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fl_syslog_framing {
	FL_SYSLOG_AUTO,
	FL_SYSLOG_LF,
	FL_SYSLOG_OCTETS,
};

struct fl_syslog_frame {
	const char *bytes; /* borrowed until the next call */
	size_t len;
	uint64_t whole; /* of a message over the ceiling: its bytes; else 0 */
	bool cut;       /* the stream ended inside of it */
};

struct fl_syslog_frames {
	char *buf; /* NULL: holds nothing */
	size_t cap, at, len;
	size_t max; /* bytes of one message */
	enum fl_syslog_framing framing;
	/* Of the message at hand, when it is too long. */
	char *held;
	size_t held_len;
	uint64_t whole, left; /* left: of counted octets, still to come */
	bool over;
};

void fl_syslog_init(struct fl_syslog_frames *frames,
		    enum fl_syslog_framing framing, size_t max);
/* Where bytes that arrive go, and how many have room: at least 16 KiB. */
char *fl_syslog_space(struct fl_syslog_frames *frames, size_t *size);
void fl_syslog_fed(struct fl_syslog_frames *frames, size_t len);
/* The next message. ended: nothing more comes.
 * returns 1; 0 more bytes are needed; -1 no frame begins here: `frame` is what
 *         stands there, and nothing behind it can be told apart */
int fl_syslog_next(struct fl_syslog_frames *frames,
		   struct fl_syslog_frame *frame, bool ended);
void fl_syslog_release(struct fl_syslog_frames *frames);

#endif
