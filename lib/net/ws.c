/* ws: see ws.h.
 *
 * All that comes goes through `in`, so that what stands behind the handshake in
 * one packet is not lost, and so that tests need no network. A message is put
 * together here and not by wslay: of one that is refused, what came of it is
 * still there to be shown.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/ws.h"

#ifdef FL_WITHOUT_WSLAY

int fl_ws_open(struct fl_ws **ws, const struct fl_ws_settings *settings,
	       struct fl_error *err)
{
	(void)settings;
	*ws = NULL;
	return fl_error_set(err, FL_ERR_USAGE,
			    "this build has no wslay, and so no WebSocket: "
			    "scripts/setup installs it, make builds anew");
}

void fl_ws_next(struct fl_ws *ws, struct fl_ws_news *news, int64_t wait_ns)
{
	(void)ws;
	(void)wait_ns;
	*news = (struct fl_ws_news){ .kind = FL_WS_DOWN };
}

void fl_ws_send(struct fl_ws *ws, const char *text, size_t len)
{
	(void)ws;
	(void)text;
	(void)len;
}

void fl_ws_bye(struct fl_ws *ws)
{
	(void)ws;
}

void fl_ws_close(struct fl_ws **ws)
{
	*ws = NULL;
}

void fl_ws_replay(const struct fl_ws_settings *settings, const char *bytes,
		  size_t len,
		  void (*each)(void *arg, const struct fl_ws_news *news),
		  void *arg, struct fl_buf *sent)
{
	const struct fl_ws_news news = { .kind = FL_WS_DOWN,
					 .why = "built without wslay" };

	(void)settings;
	(void)bytes;
	(void)len;
	(void)sent;
	each(arg, &news);
}

#else

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "net/link.h"
#include "net/mask.h"
#include "net/ws-handshake.h"

enum {
	HEAD_MAX = 16 * 1024, /* of the answer to the handshake */
	READ_AT_ONCE = 16 * 1024,
	PONGS_MAX = 64 * 1024, /* bytes waiting to be sent: no pong is added */
};

enum state {
	CONNECTING, /* name, TCP, TLS */
	ASKING,     /* the handshake was sent */
	OPEN,
	CLOSING, /* goodbye was said: what comes is still taken */
	ENDED,   /* nothing more comes; DOWN was not told yet */
	TOLD,
};

struct fl_ws {
	struct fl_ws_settings settings; /* with strings of our own; no url */
	struct fl_ws_handshake shake;
	struct fl_link *link; /* NULL: a replay */
	enum state state;
	wslay_frame_context_ptr frames;
	struct fl_buf in; /* received; from `taken` on not looked at yet */
	size_t taken;
	struct fl_buf out; /* to be sent */
	size_t sent;
	bool eof; /* nothing more will come */
	/* The message being put together, and the frame being read. */
	struct fl_buf message, control;
	uint8_t opcode;    /* of the message; 0: none is begun */
	uint64_t frame_at; /* bytes of the frame that came */
	bool in_frame, in_control;
	bool given;            /* the caller has `message` */
	bool spoiled;          /* what came last is a frame that is none */
	enum fl_ws_spoilt how; /* of what SPOILED will tell */
	uint64_t fed;          /* bytes that wslay got, */
	uint64_t framed;       /* and those of whole frames among them */
	size_t last_feed;      /* how many it got at last */
	int64_t deadline_ns;   /* of connecting or of closing */
	int64_t heard_ns;      /* when something last came */
	bool pinged;
	/* What DOWN will tell. */
	enum fl_ws_fault fault;
	char why[300];
	unsigned status;
	int64_t retry_after_ns;
};

/* --- ends --- */

/* The first reason holds. */
static void end(struct fl_ws *ws, enum fl_ws_fault fault, const char *format,
		...) __attribute__((format(printf, 3, 4)));
static void end(struct fl_ws *ws, enum fl_ws_fault fault, const char *format,
		...)
{
	va_list args;

	if (ws->state >= ENDED)
		return;
	ws->fault = ws->state == CLOSING ? FL_WS_BYE : fault;
	ws->state = ENDED;
	va_start(args, format);
	vsnprintf(ws->why, sizeof(ws->why), format, args);
	va_end(args);
}

/* --- bytes in and out --- */

/* returns false: nothing more for now */
static bool receive(struct fl_ws *ws)
{
	ssize_t got;

	if (ws->eof || !ws->link)
		return false;
	if (ws->taken == ws->in.len) {
		fl_buf_reset(&ws->in);
		ws->taken = 0;
	}
	fl_buf_reserve(&ws->in, READ_AT_ONCE);
	got = fl_link_receive(ws->link, ws->in.data + ws->in.len, READ_AT_ONCE);
	if (got <= 0) {
		ws->eof = got != -1;
		if (got == -2)
			end(ws, FL_WS_NETWORK, "%s", fl_link_why(ws->link));
		return false;
	}
	ws->in.len += (size_t)got;
	ws->heard_ns = fl_monotonic_ns();
	ws->pinged = false;
	return true;
}

static void flush(struct fl_ws *ws)
{
	while (ws->link && ws->sent < ws->out.len) {
		ssize_t sent = fl_link_send(ws->link, ws->out.data + ws->sent,
					    ws->out.len - ws->sent);

		if (sent == 0)
			return;
		/* Broken: what came before that is still to be read. */
		ws->sent = sent < 0 ? ws->out.len : ws->sent + (size_t)sent;
	}
	if (ws->link) {
		fl_buf_reset(&ws->out);
		ws->sent = 0;
	}
}

/* --- frames --- */

static ssize_t frame_out(const uint8_t *data, size_t len, int flags, void *arg)
{
	struct fl_ws *ws = arg;

	(void)flags;
	fl_buf_append(&ws->out, data, len);
	return (ssize_t)len;
}

static ssize_t frame_in(uint8_t *data, size_t len, int flags, void *arg)
{
	struct fl_ws *ws = arg;
	size_t left;

	(void)flags;
	if (ws->taken == ws->in.len && !receive(ws))
		return -1;
	left = ws->in.len - ws->taken;
	if (left > len)
		left = len;
	memcpy(data, ws->in.data + ws->taken, left);
	ws->taken += left;
	ws->fed += left;
	ws->last_feed = left;
	return (ssize_t)left;
}

static int make_mask(uint8_t *data, size_t len, void *arg)
{
	(void)arg;
	fl_random(data, len);
	return 0;
}

static void put_frame(struct fl_ws *ws, uint8_t opcode, const void *bytes,
		      size_t len)
{
	struct wslay_frame_iocb frame = {
		.fin = 1,
		.opcode = opcode,
		.payload_length = len,
		.mask = 1,
		.data = bytes,
		.data_length = len,
	};

	/* `out` takes all of it at once. */
	do {
		ssize_t sent = wslay_frame_send(ws->frames, &frame);

		if (sent < 0 && sent != WSLAY_ERR_WANT_WRITE)
			FL_BUG("wslay refuses a frame");
		if (sent <= 0)
			break;
		frame.data += sent;
		frame.data_length -= (size_t)sent;
	} while (frame.data_length);
	flush(ws);
}

static void put_close(struct fl_ws *ws, unsigned code)
{
	const uint8_t bytes[2] = { (uint8_t)(code >> 8), (uint8_t)code };

	put_frame(ws, WSLAY_CONNECTION_CLOSE, bytes, code ? 2 : 0);
}

/* The other side broke the rules: say so and be gone. What came of the message
 * is told as spoiled. */
static void break_off(struct fl_ws *ws, unsigned code, const char *why)
{
	ws->how = code == 1007   ? FL_WS_NOT_UTF8
		  : code == 1009 ? FL_WS_TOO_LONG
				 : FL_WS_NO_FRAME;
	if (ws->state == OPEN)
		put_close(ws, code);
	end(ws, FL_WS_PROTOCOL, "%s", why);
}

/* Which codes may be sent; RFC 6455, 7.4, and its registry. */
static bool close_code_good(unsigned code)
{
	return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 &&
		code != 1006) ||
	       (code >= 3000 && code <= 4999);
}

static void take_close(struct fl_ws *ws)
{
	const unsigned char *bytes = (const unsigned char *)ws->control.data;
	size_t len = ws->control.len;
	unsigned code = len >= 2 ? (unsigned)bytes[0] << 8 | bytes[1] : 0;
	const char *words = len > 2 ? ws->control.data + 2 : "";
	char number[16] = "";

	if (len == 1 || (len >= 2 && (!close_code_good(code) ||
				      !fl_utf8_valid(words, len - 2)))) {
		break_off(ws, 1002, "a goodbye that is none");
		return;
	}
	if (code)
		snprintf(number, sizeof(number), "%u", code);
	if (ws->state == OPEN) {
		put_close(ws, code);
		end(ws, FL_WS_CLOSED, "closed by the other side%s%s%s%s%s",
		    code ? " (" : "", number, len > 2 ? ", " : "",
		    len > 2 ? fl_show(words, len - 2, 125) : "",
		    code ? ")" : "");
	} else {
		end(ws, FL_WS_BYE, "closed");
	}
}

static void take_control(struct fl_ws *ws, uint8_t opcode)
{
	if (opcode == WSLAY_CONNECTION_CLOSE)
		take_close(ws);
	else if (opcode == WSLAY_PING && ws->state == OPEN &&
		 ws->out.len < PONGS_MAX)
		put_frame(ws, WSLAY_PONG, fl_buf_text(&ws->control),
			  ws->control.len);
}

/* Is the frame that begins one that may come now? */
static bool frame_good(struct fl_ws *ws, const struct wslay_frame_iocb *frame)
{
	uint8_t op = frame->opcode;

	if (frame->rsv) {
		break_off(ws, 1002, "a frame with reserved bits");
		return false;
	}
	if (frame->mask) {
		break_off(ws, 1002,
			  "a masked frame, which servers do not send");
		return false;
	}
	if (op != WSLAY_CONTINUATION_FRAME && op != WSLAY_TEXT_FRAME &&
	    op != WSLAY_BINARY_FRAME && op != WSLAY_CONNECTION_CLOSE &&
	    op != WSLAY_PING && op != WSLAY_PONG) {
		break_off(ws, 1002, "a frame of an unknown kind");
		return false;
	}
	if (wslay_is_ctrl_frame(op))
		return true;
	if ((op == WSLAY_CONTINUATION_FRAME) != (ws->opcode != 0)) {
		break_off(ws, 1002,
			  ws->opcode ? "a message within a message"
				     : "the middle of no message");
		return false;
	}
	if (op)
		ws->opcode = op;
	if (frame->payload_length > ws->settings.max_message ||
	    ws->message.len + frame->payload_length >
		    ws->settings.max_message) {
		break_off(ws, 1009, "a message that is too long");
		return false;
	}
	return true;
}

/* What came of a frame that is refused. */
static void spoil(struct fl_ws *ws, const struct wslay_frame_iocb *frame)
{
	fl_buf_append(&ws->message, frame->data, frame->data_length);
	ws->spoiled = true;
}

/* Bytes of a server's frame. */
static uint64_t frame_size(uint64_t payload)
{
	return payload + (payload < 126 ? 2u : payload < 65536 ? 4u : 10u);
}

/* Is the frame without an end one of control? Of one whose payload has not
 * begun wslay says nothing, but its first byte does. */
static bool control_torn(const struct fl_ws *ws)
{
	uint64_t torn = ws->fed - ws->framed;

	if (ws->in_frame)
		return ws->in_control;
	return torn && torn <= ws->taken &&
	       wslay_is_ctrl_frame(
		       (unsigned char)ws->in.data[ws->taken - torn]);
}

/* Is there a frame, or a message, without its end? */
static bool has_torn(const struct fl_ws *ws)
{
	return ws->opcode || ws->spoiled ||
	       (ws->fed != ws->framed && !control_torn(ws));
}

/* Read what is there. returns true: a whole message stands in `message` */
static bool take_frames(struct fl_ws *ws)
{
	while (ws->state == OPEN || ws->state == CLOSING) {
		struct wslay_frame_iocb frame = { 0 };
		ssize_t got = wslay_frame_recv(ws->frames, &frame);
		bool control;

		if (got == WSLAY_ERR_WANT_READ)
			return false;
		if (got < 0) {
			/* Where in these it is, wslay does not tell. */
			if (!ws->opcode)
				fl_buf_append(&ws->message,
					      ws->in.data + ws->taken -
						      ws->last_feed,
					      ws->last_feed);
			ws->spoiled = true;
			break_off(ws, 1002, "a frame that is none");
			return false;
		}
		control = wslay_is_ctrl_frame(frame.opcode);
		if (!ws->in_frame) {
			ws->in_frame = true;
			ws->frame_at = 0;
			ws->in_control = control;
			fl_buf_reset(&ws->control);
			if (!frame_good(ws, &frame)) {
				spoil(ws, &frame);
				return false;
			}
		}
		fl_buf_append(control ? &ws->control : &ws->message, frame.data,
			      frame.data_length);
		ws->frame_at += frame.data_length;
		if (ws->frame_at < frame.payload_length)
			continue;
		ws->in_frame = false;
		ws->framed += frame_size(frame.payload_length);
		if (control) {
			take_control(ws, frame.opcode);
		} else if (frame.fin) {
			if (ws->opcode == WSLAY_BINARY_FRAME ||
			    fl_utf8_valid(fl_buf_text(&ws->message),
					  ws->message.len))
				return true;
			break_off(ws, 1007, "a text that is not UTF-8");
		}
	}
	return false;
}

/* --- the handshake --- */

static void send_handshake(struct fl_ws *ws)
{
	fl_ws_handshake_ask(&ws->shake, ws->settings.agent, &ws->out);
	ws->state = ASKING;
	flush(ws);
}

/* Its head is whole. */
static void judge(struct fl_ws *ws, const char *head)
{
	char why[sizeof(ws->why)];

	switch (fl_ws_handshake_judge(&ws->shake, head, &ws->status,
				      &ws->retry_after_ns, why, sizeof(why))) {
	case FL_WS_AGREED:
		ws->state = OPEN;
		break;
	case FL_WS_REFUSED:
		end(ws, FL_WS_STATUS, "%s", why);
		break;
	case FL_WS_ALIEN:
		end(ws, FL_WS_PROTOCOL, "%s", why);
		break;
	}
}

static void take_handshake(struct fl_ws *ws)
{
	const char *stop;
	char *head;

	do {
		stop = memmem(fl_buf_text(&ws->in), ws->in.len, "\r\n\r\n", 4);
		if (!stop && ws->in.len > HEAD_MAX) {
			end(ws, FL_WS_PROTOCOL,
			    "the answer to the handshake is too long");
			return;
		}
	} while (!stop && receive(ws));
	if (!stop) {
		if (ws->eof)
			end(ws, FL_WS_NETWORK,
			    "the connection was closed during the handshake");
		return;
	}
	ws->taken = (size_t)(stop - ws->in.data) + 4;
	head = fl_strndup(ws->in.data, ws->taken);
	judge(ws, head);
	free(head);
}

/* --- connecting --- */

static void take_connection(struct fl_ws *ws)
{
	switch (fl_link_connect(ws->link)) {
	case FL_LINK_CONNECTING:
		break;
	case FL_LINK_UP:
		send_handshake(ws);
		break;
	case FL_LINK_FAILED:
		end(ws, FL_WS_NETWORK, "%s", fl_link_why(ws->link));
		break;
	case FL_LINK_UNTRUSTED:
		end(ws, FL_WS_TLS, "%s", fl_link_why(ws->link));
		break;
	}
}

static struct fl_ws *make(const struct fl_ws_settings *settings)
{
	static const struct wslay_frame_callbacks callbacks = {
		.send_callback = frame_out,
		.recv_callback = frame_in,
		.genmask_callback = make_mask,
	};
	struct fl_ws *ws = fl_zalloc(sizeof(*ws));

	ws->settings = *settings;
	ws->settings.agent = fl_strdup(settings->agent);
	if (wslay_frame_context_init(&ws->frames, &callbacks, ws) != 0)
		fl_out_of_memory();
	return ws;
}

int fl_ws_open(struct fl_ws **out, const struct fl_ws_settings *settings,
	       struct fl_error *err)
{
	struct fl_ws *ws = make(settings);
	struct fl_buf shown = FL_BUF_INIT;
	struct fl_link_settings link = {
		.agent = settings->agent,
		.ca_file = settings->ca_file,
		.connect_ns = settings->connect_ns,
	};

	*out = ws;
	if (fl_ws_handshake_init(&ws->shake, settings->url, err) < 0)
		goto failed;
	link.secure = ws->shake.secure;
	link.authority = ws->shake.authority;
	if (fl_link_open(&ws->link, &link, err) < 0)
		goto failed;
	ws->heard_ns = fl_monotonic_ns();
	ws->deadline_ns = ws->heard_ns + settings->connect_ns;
	fl_url_mask(settings->url, &shown);
	fl_log("connecting to %s", fl_buf_text(&shown));
	fl_buf_release(&shown);
	return 0;
failed:
	fl_ws_close(out);
	return -1;
}

void fl_ws_close(struct fl_ws **out)
{
	struct fl_ws *ws = *out;

	*out = NULL;
	if (!ws)
		return;
	fl_link_close(&ws->link);
	wslay_frame_context_free(ws->frames);
	fl_ws_handshake_release(&ws->shake);
	fl_buf_release(&ws->in);
	fl_buf_release(&ws->out);
	fl_buf_release(&ws->message);
	fl_buf_release(&ws->control);
	free((char *)ws->settings.agent);
	free(ws);
}

/* --- what happens next --- */

/* What of time alone follows; returns when to look again. */
static int64_t watch_clock(struct fl_ws *ws, int64_t now)
{
	int64_t silent = now - ws->heard_ns, stall = ws->settings.stall_ns;

	switch (ws->state) {
	case CONNECTING:
	case ASKING:
		if (now >= ws->deadline_ns)
			end(ws, FL_WS_NETWORK, "no connection within %lld ms",
			    (long long)(ws->settings.connect_ns / 1000000));
		return ws->deadline_ns;
	case CLOSING:
		if (now >= ws->deadline_ns)
			end(ws, FL_WS_BYE,
			    "closed, with no goodbye from the "
			    "other side");
		return ws->deadline_ns;
	case OPEN:
		if (silent >= stall) {
			end(ws, FL_WS_NETWORK,
			    "nothing came for %lld.%lld s, nor an answer to a "
			    "ping",
			    (long long)(silent / FL_SECOND),
			    (long long)(silent % FL_SECOND / (FL_SECOND / 10)));
			return now;
		}
		if (silent >= stall / 2 && !ws->pinged) {
			ws->pinged = true;
			put_frame(ws, WSLAY_PING, NULL, 0);
		}
		return ws->heard_ns + (ws->pinged ? stall : stall / 2);
	default:
		return now;
	}
}

/* A message, or what there is of one. */
static void tell_message(struct fl_ws *ws, struct fl_ws_news *news,
			 enum fl_ws_kind kind)
{
	news->kind = kind;
	news->text = ws->opcode == WSLAY_TEXT_FRAME;
	news->bytes = fl_buf_text(&ws->message);
	news->len = ws->message.len;
	news->how = ws->how;
	ws->opcode = 0;
	ws->spoiled = false;
	ws->given = true;
	if (kind == FL_WS_SPOILED)
		ws->fed = ws->framed;
}

/* returns true: there is news */
static bool look(struct fl_ws *ws, struct fl_ws_news *news)
{
	enum state before = ws->state;

	if (before == CONNECTING)
		take_connection(ws);
	if (ws->state == ASKING) {
		flush(ws);
		take_handshake(ws);
		if (ws->state == OPEN) {
			news->kind = FL_WS_UP;
			return true;
		}
	}
	if (ws->state == OPEN || ws->state == CLOSING) {
		flush(ws);
		if (take_frames(ws)) {
			tell_message(ws, news, FL_WS_DATA);
			return true;
		}
		if (ws->eof)
			end(ws,
			    ws->state == CLOSING ? FL_WS_BYE : FL_WS_NETWORK,
			    "the connection was cut");
	}
	if (ws->state < ENDED)
		return false;
	flush(ws); /* our goodbye, as far as it goes */
	snprintf(news->why, sizeof(news->why), "%s", ws->why);
	if (ws->state == ENDED && has_torn(ws)) {
		tell_message(ws, news, FL_WS_SPOILED);
		return true;
	}
	ws->state = TOLD;
	news->kind = FL_WS_DOWN;
	news->fault = ws->fault;
	news->status = ws->status;
	news->retry_after_ns = ws->retry_after_ns;
	return true;
}

void fl_ws_next(struct fl_ws *ws, struct fl_ws_news *news, int64_t wait_ns)
{
	int64_t now = fl_monotonic_ns(), until = now + wait_ns;

	*news = (struct fl_ws_news){ .kind = FL_WS_NOTHING };
	if (ws->given) {
		fl_buf_reset(&ws->message);
		ws->given = false;
	}
	/* Whoever has more and more to tell is not listened to for ever. */
	if (ws->state == CLOSING)
		watch_clock(ws, now);
	for (;;) {
		int64_t again, left;

		if (look(ws, news))
			return;
		now = fl_monotonic_ns();
		again = watch_clock(ws, now);
		if (ws->state == ENDED)
			continue;
		left = (again < until ? again : until) - now;
		if (now >= until)
			return;
		if (ws->link)
			fl_link_wait(ws->link, ws->sent < ws->out.len, left);
	}
}

void fl_ws_send(struct fl_ws *ws, const char *text, size_t len)
{
	if (ws->state == OPEN)
		put_frame(ws, WSLAY_TEXT_FRAME, text, len);
}

void fl_ws_bye(struct fl_ws *ws)
{
	if (ws->state == OPEN) {
		put_close(ws, 1000);
		ws->state = CLOSING;
		ws->deadline_ns = fl_monotonic_ns() + ws->settings.close_ns;
	} else if (ws->state < OPEN) {
		end(ws, FL_WS_BYE, "closed before it was open");
	}
}

void fl_ws_replay(const struct fl_ws_settings *settings, const char *bytes,
		  size_t len,
		  void (*each)(void *arg, const struct fl_ws_news *news),
		  void *arg, struct fl_buf *sent)
{
	struct fl_ws *ws = make(settings);
	struct fl_ws_news news;

	ws->state = OPEN;
	ws->heard_ns = fl_monotonic_ns();
	ws->eof = true;
	fl_buf_append(&ws->in, bytes, len);
	do {
		fl_ws_next(ws, &news, 0);
		each(arg, &news);
	} while (news.kind != FL_WS_DOWN);
	if (sent)
		fl_buf_append(sent, fl_buf_text(&ws->out), ws->out.len);
	fl_ws_close(&ws);
}

#endif
