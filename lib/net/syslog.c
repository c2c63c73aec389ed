/* syslog: see syslog.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/syslog.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	CHUNK = 32 * 1024,
	ROOM = 16 * 1024, /* TLS gives a record whole, or keeps what is left */
	HELD_MAX = 65536,
	COUNT_MAX = 9, /* digits */
	SHOWN_MAX = 1024,
};

void fl_syslog_init(struct fl_syslog_frames *frames,
		    enum fl_syslog_framing framing, size_t max)
{
	*frames = (struct fl_syslog_frames){ .framing = framing, .max = max };
}

void fl_syslog_release(struct fl_syslog_frames *frames)
{
	free(frames->buf);
	free(frames->held);
	frames->buf = frames->held = NULL;
	frames->cap = frames->at = frames->len = frames->held_len = 0;
}

char *fl_syslog_space(struct fl_syslog_frames *frames, size_t *size)
{
	size_t have = frames->len - frames->at;

	if (have && frames->at)
		memmove(frames->buf, frames->buf + frames->at, have);
	frames->at = 0;
	frames->len = have;
	if (frames->cap - have < ROOM) {
		frames->cap = frames->cap ? 2 * frames->cap : CHUNK;
		frames->buf = fl_realloc(frames->buf, frames->cap, 1);
	}
	*size = frames->cap - have;
	return frames->buf + have;
}

void fl_syslog_fed(struct fl_syslog_frames *frames, size_t len)
{
	frames->len += len;
}

/* Take bytes of a message that is too long. */
static void drop(struct fl_syslog_frames *frames, size_t len)
{
	size_t room = HELD_MAX - frames->held_len;

	if (!frames->held)
		frames->held = fl_alloc(HELD_MAX);
	if (room > len)
		room = len;
	memcpy(frames->held + frames->held_len, frames->buf + frames->at, room);
	frames->held_len += room;
	frames->whole += len;
	frames->at += len;
}

static int give_held(struct fl_syslog_frames *frames, bool cut,
		     struct fl_syslog_frame *frame)
{
	*frame = (struct fl_syslog_frame){
		.bytes = frames->held,
		.len = frames->held_len,
		.whole = frames->whole,
		.cut = cut,
	};
	frames->over = false;
	frames->held_len = 0;
	frames->whole = 0;
	return 1;
}

static int give(struct fl_syslog_frames *frames, size_t len, size_t end,
		bool cut, struct fl_syslog_frame *frame)
{
	*frame = (struct fl_syslog_frame){
		.bytes = frames->buf + frames->at,
		.len = len,
		.cut = cut,
	};
	frames->at += len + end;
	return 1;
}

static int next_line(struct fl_syslog_frames *frames,
		     struct fl_syslog_frame *frame, bool ended)
{
	char *from = frames->buf + frames->at;
	size_t have = frames->len - frames->at;
	char *lf = have ? memchr(from, '\n', have) : NULL;
	size_t len = lf ? (size_t)(lf - from) : have;

	if (frames->over || len > frames->max) {
		frames->over = true;
		drop(frames, len);
		frames->at += lf != NULL;
		return lf || ended ? give_held(frames, !lf, frame) : 0;
	}
	if (!lf && (!ended || !have))
		return 0;
	return give(frames, len, lf != NULL, false, frame);
}

/* "123 " before the message: 1, 0 more is needed, -1 */
static int take_count(struct fl_syslog_frames *frames, uint64_t *count)
{
	const char *at = frames->buf + frames->at;
	size_t have = frames->len - frames->at, n = 0;

	*count = 0;
	for (; n < have && n <= COUNT_MAX && at[n] >= '0' && at[n] <= '9'; n++)
		*count = *count * 10 + (uint64_t)(at[n] - '0');
	if (n > COUNT_MAX || (n == 0 && have) || (n && *at == '0'))
		return -1;
	if (n == have)
		return 0;
	if (at[n] != ' ')
		return -1;
	frames->at += n + 1;
	return 1;
}

static int bad(struct fl_syslog_frames *frames, struct fl_syslog_frame *frame)
{
	size_t have = frames->len - frames->at;

	give(frames, have < SHOWN_MAX ? have : SHOWN_MAX, 0, false, frame);
	return -1;
}

static int next_counted(struct fl_syslog_frames *frames,
			struct fl_syslog_frame *frame, bool ended)
{
	uint64_t count;
	size_t have, before;
	int got;

	if (!frames->over) {
		/* Some end a counted message with LF as well. */
		while (frames->at < frames->len &&
		       frames->buf[frames->at] == '\n')
			frames->at++;
		have = frames->len - frames->at;
		if (!have)
			return 0;
		before = frames->at;
		got = take_count(frames, &count);
		if (got < 0)
			return bad(frames, frame);
		if (got == 0)
			return ended ? give(frames, have, 0, true, frame) : 0;
		have = frames->len - frames->at;
		if (count <= frames->max) {
			if (have >= count)
				return give(frames, (size_t)count, 0, false,
					    frame);
			if (ended)
				return give(frames, have, 0, true, frame);
			frames->at = before;
			return 0;
		}
		frames->over = true;
		frames->left = count;
	}
	have = frames->len - frames->at;
	if (have > frames->left)
		have = (size_t)frames->left;
	drop(frames, have);
	frames->left -= have;
	return !frames->left || ended
		       ? give_held(frames, frames->left != 0, frame)
		       : 0;
}

/* What do the first bytes say? AUTO: not enough yet. A line may begin with a
 * number as well, but hardly with one and a blank. */
static enum fl_syslog_framing
find_framing(const struct fl_syslog_frames *frames, bool ended)
{
	const char *at = frames->buf + frames->at;
	size_t have = frames->len - frames->at, n = 0;

	while (n < have && n <= COUNT_MAX && at[n] >= '0' && at[n] <= '9')
		n++;
	if (n == 0 || *at == '0' || n > COUNT_MAX)
		return FL_SYSLOG_LF;
	if (n == have)
		return ended ? FL_SYSLOG_LF : FL_SYSLOG_AUTO;
	return at[n] == ' ' ? FL_SYSLOG_OCTETS : FL_SYSLOG_LF;
}

int fl_syslog_next(struct fl_syslog_frames *frames,
		   struct fl_syslog_frame *frame, bool ended)
{
	if (!frames->over && frames->at == frames->len) {
		/* Most connections are quiet most of the time. */
		free(frames->buf);
		frames->buf = NULL;
		frames->at = frames->len = frames->cap = 0;
		return 0;
	}
	if (frames->framing == FL_SYSLOG_AUTO)
		frames->framing = find_framing(frames, ended);
	if (frames->framing == FL_SYSLOG_AUTO)
		return 0;
	return frames->framing == FL_SYSLOG_OCTETS
		       ? next_counted(frames, frame, ended)
		       : next_line(frames, frame, ended);
}
