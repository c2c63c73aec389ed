/* ws-script: a WebSocket server that plays a script, with every fault one
 * wants, and counts what it sent.
 *
 *   ws-script SCRIPT LOG PORT [CERT KEY]
 *
 * It listens on a free port of 127.0.0.1 (over TLS with CERT and KEY), writes
 * its number to the file PORT and serves until it is killed. SCRIPT has a step
 * a line; `connection` begins the steps of the next connection, and the last of
 * them serve all further ones. After its steps a connection stays open, and
 * what comes is answered, until the client says goodbye. Steps:
 *
 *   accept | wrongkey | refuse STATUS [NAME: VALUE] | reply TEXT   the
 * handshake subscribed          waits for a message of the client text TEXT a
 * frame; `fragments N TEXT` the same in N, with a ping between any two binary
 * HEX | bad HEX | raw HEX a frame, one that the client has to refuse, and bytes
 *                       that count as no frame
 *   cut N TEXT          N bytes of the payload, then the end
 *   ticks N [US]        prices of the symbols S000 to S499, one each US
 *   storm SECONDS [US]  the same with all else mixed in, and drops
 *   ping TEXT | pong TEXT   sends one; waits for one
 *   close CODE [TEXT]   says goodbye
 *   drop | reset        the connection is gone, in order or not
 *   mute | deaf         pings, or goodbyes too, are not answered any more
 *   wait MS
 *
 * A line of LOG is the number of the connection and what happened: `asks
 * TARGET AGENT`, `message TEXT`, `pong TEXT`, `bye CODE`, `gone`, `storm over`;
 * and, at the end of each, `sent GOOD PASSED BAD`: all frames of data so far,
 * by what a client has to make of them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/time.h"
#include "listen.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

enum {
	SYMBOLS = 500,
	INPUT_MAX = 65536,
	CONTROL_MAX = 125,
};

enum op {
	OP_CONTINUE = 0,
	OP_TEXT = 1,
	OP_BINARY = 2,
	OP_CLOSE = 8,
	OP_PING = 9,
	OP_PONG = 10,
};

/* What a client has to make of a frame. */
enum fate {
	GOOD,
	PASSED,
	BAD,
	FATES,
};

struct step {
	char *word, *rest;
	unsigned connection;
};

static struct step *steps;
static size_t step_count;
static unsigned scripted; /* connections that have steps of their own */
static FILE *log_file;
static SSL_CTX *tls;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t sent[FATES];
static int64_t storm_ends_ns; /* 0: none began */
static bool storm_told;

struct connection {
	int fd;
	SSL *ssl;
	unsigned number;
	struct fl_buf in;
	bool gone, mute, deaf, heard; /* heard: a message came */
	char pong[CONTROL_MAX + 1];
	uint64_t ticks, dice;
};

static __attribute__((format(printf, 2, 3))) void
note(const struct connection *c, const char *format, ...)
{
	va_list args;

	pthread_mutex_lock(&lock);
	fprintf(log_file, "%u ", c->number);
	va_start(args, format);
	vfprintf(log_file, format, args);
	va_end(args);
	fputc('\n', log_file);
	fflush(log_file);
	pthread_mutex_unlock(&lock);
}

static void read_script(const char *path)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t cap = 0;

	if (!file)
		die("cannot open", path);
	while (getline(&line, &cap, file) > 0) {
		char *word = line + strspn(line, " \t");
		char *rest = word + strcspn(word, " \t\n");

		line[strcspn(line, "\n")] = '\0';
		if (*rest)
			*rest++ = '\0';
		if (!*word || *word == '#')
			continue;
		if (strcmp(word, "connection") == 0) {
			scripted++;
			continue;
		}
		if (!scripted)
			scripted = 1;
		steps = fl_realloc(steps, step_count + 1, sizeof(*steps));
		steps[step_count++] = (struct step){
			.word = fl_strdup(word),
			.rest = fl_strdup(rest),
			.connection = scripted,
		};
	}
	free(line);
	fclose(file);
}

/* --- bytes --- */

static void put(struct connection *c, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len && !c->gone) {
		ssize_t n;

		if (c->ssl) {
			int done = SSL_write(c->ssl, at, (int)len);

			n = done > 0 ? done : -1;
		} else {
			n = send(c->fd, at, len, MSG_NOSIGNAL);
		}
		if (n <= 0) {
			c->gone = true;
			return;
		}
		at += n;
		len -= (size_t)n;
	}
}

/* What came within the time goes to c->in. returns false: nothing did */
static bool get(struct connection *c, int ms)
{
	struct pollfd fd = { .fd = c->fd, .events = POLLIN };
	char bytes[4096];
	ssize_t n;

	if (c->gone)
		return false;
	if (!(c->ssl && SSL_pending(c->ssl)) && poll(&fd, 1, ms) <= 0)
		return false;
	n = c->ssl ? SSL_read(c->ssl, bytes, sizeof(bytes))
		   : recv(c->fd, bytes, sizeof(bytes), 0);
	if (n <= 0 || c->in.len > INPUT_MAX) {
		c->gone = true;
		note(c, "gone");
		return false;
	}
	fl_buf_append(&c->in, bytes, (size_t)n);
	return true;
}

static size_t head_of(unsigned char *head, unsigned first, size_t len)
{
	head[0] = (unsigned char)first;
	if (len < 126) {
		head[1] = (unsigned char)len;
		return 2;
	}
	head[1] = 126;
	head[2] = (unsigned char)(len >> 8);
	head[3] = (unsigned char)len;
	return 4;
}

/* The frame in one write, so that a cut is where the script wants it. */
static void put_frame(struct connection *c, unsigned first, const void *bytes,
		      size_t len, size_t keep)
{
	struct fl_buf frame = FL_BUF_INIT;
	unsigned char head[4];

	fl_buf_append(&frame, head, head_of(head, first, len));
	fl_buf_append(&frame, bytes, keep < len ? keep : len);
	put(c, frame.data, frame.len);
	fl_buf_release(&frame);
}

static void count(const struct connection *c, enum fate fate)
{
	if (c->gone)
		return;
	pthread_mutex_lock(&lock);
	sent[fate]++;
	pthread_mutex_unlock(&lock);
}

static void put_text(struct connection *c, const char *text, enum fate fate)
{
	put_frame(c, 0x80 | OP_TEXT, text, strlen(text), SIZE_MAX);
	count(c, fate);
}

static void put_control(struct connection *c, enum op op, const void *bytes,
			size_t len)
{
	put_frame(c, 0x80U | op, bytes, len, SIZE_MAX);
}

static void put_fragments(struct connection *c, unsigned parts,
			  const char *text)
{
	size_t len = strlen(text), step = len / parts + 1;

	for (size_t at = 0; at < len; at += step) {
		size_t n = len - at < step ? len - at : step;
		unsigned first = (at ? OP_CONTINUE : OP_TEXT) |
				 (at + n == len ? 0x80U : 0);

		put_frame(c, first, text + at, n, SIZE_MAX);
		if (at + n < len)
			put_control(c, OP_PING, "between", 7);
	}
	count(c, GOOD);
}

/* --- what the client sends --- */

static void take_frame(struct connection *c, unsigned op, char *bytes,
		       size_t len)
{
	unsigned char *raw = (unsigned char *)bytes;

	switch (op) {
	case OP_TEXT:
		c->heard = true;
		note(c, "message %.*s", (int)len, bytes);
		break;
	case OP_PING:
		if (!c->mute)
			put_control(c, OP_PONG, bytes, len);
		break;
	case OP_PONG:
		snprintf(c->pong, sizeof(c->pong), "%.*s", (int)len, bytes);
		note(c, "pong %s", c->pong);
		break;
	case OP_CLOSE:
		note(c, "bye %d", len >= 2 ? raw[0] << 8 | raw[1] : 0);
		if (c->deaf)
			break;
		put_control(c, OP_CLOSE, bytes, len < 2 ? 0 : 2);
		c->gone = true;
		break;
	default:
		note(c, "what is frame %u?", op);
	}
}

/* Frames that are whole; they must be masked. */
static void take_input(struct connection *c, int ms)
{
	while (get(c, ms))
		ms = 0;
	for (;;) {
		unsigned char *at = (unsigned char *)c->in.data;
		size_t len, head = 6;

		if (c->in.len < 6)
			return;
		len = at[1] & 127;
		if (len == 126) {
			len = (size_t)(at[2] << 8 | at[3]);
			head = 8;
		}
		if (!(at[1] & 128) || (at[1] & 127) == 127)
			note(c, "unmasked, or too long");
		if (c->in.len < head + len)
			return;
		for (size_t i = 0; i < len; i++)
			at[head + i] ^= at[head - 4 + i % 4];
		take_frame(c, at[0] & 15U, c->in.data + head, len);
		memmove(c->in.data, c->in.data + head + len,
			c->in.len - head - len);
		c->in.len -= head + len;
	}
}

static void pause_ms(struct connection *c, long ms)
{
	int64_t until = fl_monotonic_ns() + ms * 1000000, left;

	while (!c->gone && (left = until - fl_monotonic_ns()) > 0)
		take_input(c, (int)(left / 1000000) + 1);
}

/* What was sent still arrives: the client is let end first. */
static void drop(struct connection *c)
{
	if (c->gone)
		return;
	shutdown(c->fd, SHUT_WR);
	for (int i = 0; i < 200 && !c->gone; i++)
		get(c, 10);
	c->gone = true;
}

/* --- prices --- */

static uint32_t roll(struct connection *c, uint32_t below)
{
	c->dice = c->dice * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)((c->dice >> 33) % below);
}

static void put_varint(struct fl_buf *out, uint64_t value)
{
	for (; value > 127; value >>= 7)
		fl_buf_putc(out, (char)(value | 128));
	fl_buf_putc(out, (char)value);
}

static void put_float(struct fl_buf *out, char tag, float value)
{
	fl_buf_putc(out, tag);
	fl_buf_append(out, &value, 4);
}

/* keep: so many bytes of the message. */
static void make_tick(struct connection *c, size_t keep, struct fl_buf *out)
{
	struct fl_buf wire = FL_BUF_INIT;
	char symbol[8];

	c->ticks++;
	snprintf(symbol, sizeof(symbol), "S%03u", roll(c, SYMBOLS));
	fl_buf_append(&wire, "\x0a\x04", 2);
	fl_buf_puts(&wire, symbol);
	put_float(&wire, 0x15, 10 + (float)roll(c, 100000) / 100);
	fl_buf_putc(&wire, 0x18);
	put_varint(&wire, 2 * (UINT64_C(1767369600000) + c->ticks));
	fl_buf_append(&wire, "\x22\x03USD\x2a\x03NMS\x30\x08\x38\x01", 14);
	put_float(&wire, 0x45, (float)roll(c, 1000) / 100 - 5);
	fl_buf_putc(&wire, 0x48);
	put_varint(&wire, 2 * (c->ticks * 100));
	put_float(&wire, 0x65, (float)roll(c, 1000) / 100 - 5);
	fl_buf_puts(out, "{\"type\":\"pricing\",\"message\":\"");
	fl_base64_put(out, wire.data, keep < wire.len ? keep : wire.len);
	fl_buf_puts(out, "\"}");
	fl_buf_release(&wire);
}

static void put_tick(struct connection *c)
{
	struct fl_buf text = FL_BUF_INIT;

	make_tick(c, SIZE_MAX, &text);
	put_text(c, fl_buf_text(&text), GOOD);
	fl_buf_release(&text);
}

/* A frame of any kind; most are prices. */
static void put_any(struct connection *c)
{
	struct fl_buf text = FL_BUF_INIT;
	uint32_t dice = roll(c, 10000);

	make_tick(c, dice < 300 ? 10 : SIZE_MAX, &text);
	if (dice < 200) { /* cut short by the provider */
		put_text(c, fl_buf_text(&text), BAD);
	} else if (dice < 300) {
		put_text(c, "{\"type\":\"pricing\",\"message\":\"*\"}", BAD);
	} else if (dice < 500) {
		put_text(c, "{\"type\":\"other\",\"message\":{}}", PASSED);
	} else if (dice < 900) {
		put_fragments(c, 2 + roll(c, 4), fl_buf_text(&text));
	} else if (dice < 950) {
		put_control(c, OP_PING, "storm", 5);
	} else if (dice < 970) {
		drop(c);
	} else if (dice < 980) {
		put_frame(c, 0x80 | OP_TEXT, text.data, text.len,
			  roll(c, (uint32_t)text.len));
		count(c, BAD);
		drop(c);
	} else if (dice < 985) {
		put_frame(c, 0x80 | OP_TEXT, "\xc3(", 2, SIZE_MAX);
		count(c, BAD);
		pause_ms(c, 5000);
	} else if (dice < 990) {
		put_control(c, OP_CLOSE, "\x03\xe9", 2);
		pause_ms(c, 5000);
	} else {
		put_text(c, fl_buf_text(&text), GOOD);
	}
	fl_buf_release(&text);
}

static void tick_often(struct connection *c, const char *rest, bool storm)
{
	unsigned long many = 0;
	long each_us = 0;
	int64_t due = fl_monotonic_ns();

	if (sscanf(rest, "%lu %ld", &many, &each_us) < 1)
		die("ticks and storm take a number, not", rest);
	if (storm) {
		pthread_mutex_lock(&lock);
		if (!storm_ends_ns)
			storm_ends_ns = due + (int64_t)many * FL_SECOND;
		pthread_mutex_unlock(&lock);
		many = ULONG_MAX;
	}
	for (unsigned long i = 0; i < many && !c->gone; i++) {
		int64_t now = fl_monotonic_ns();

		if (storm && now >= storm_ends_ns)
			break;
		due += each_us * 1000;
		if (due > now)
			take_input(c, (int)((due - now) / 1000000));
		else
			take_input(c, 0);
		if (storm)
			put_any(c);
		else
			put_tick(c);
	}
	if (storm && !c->gone && !storm_told) {
		storm_told = true;
		note(c, "storm over");
	}
}

/* --- the script --- */

static void take_hex(const char *text, struct fl_buf *out)
{
	for (; isxdigit((unsigned char)text[0]) &&
	       isxdigit((unsigned char)text[1]);
	     text += 2 + (text[2] == ' ')) {
		const char two[3] = { text[0], text[1], '\0' };

		fl_buf_putc(out, (char)strtoul(two, NULL, 16));
	}
}

static void shake(struct connection *c, bool wrong)
{
	char *key = strcasestr(fl_buf_text(&c->in), "\r\nSec-WebSocket-Key: ");
	struct fl_buf text = FL_BUF_INIT;
	unsigned char digest[20];
	char joined[100];

	if (!key)
		die("no key in", fl_buf_text(&c->in));
	snprintf(joined, sizeof(joined), "%.24s%s", key + 21,
		 wrong ? "no" : GUID);
	fl_sha1(joined, strlen(joined), digest);
	fl_buf_puts(&text, "HTTP/1.1 101 Switching\r\nupgrade: WebSocket\r\n"
			   "Connection: keep-alive, Upgrade\r\n"
			   "Sec-WebSocket-Accept: ");
	fl_base64_put(&text, digest, sizeof(digest));
	fl_buf_puts(&text, "\r\n\r\n");
	put(c, text.data, text.len);
	fl_buf_release(&text);
	fl_buf_reset(&c->in);
}

static void refuse(struct connection *c, const char *rest)
{
	struct fl_buf text = FL_BUF_INIT;
	const char *more = strchr(rest, ' ');

	fl_buf_printf(
		&text,
		"HTTP/1.1 %d Scripted\r\nContent-Length: 3\r\n%s%s\r\nno\n",
		atoi(rest), more ? more + 1 : "", more ? "\r\n" : "");
	put(c, text.data, text.len);
	fl_buf_release(&text);
	drop(c);
}

static bool is(const struct step *step, const char *word)
{
	return strcmp(step->word, word) == 0;
}

static void say_goodbye(struct connection *c, const char *rest)
{
	char bytes[CONTROL_MAX];
	int code = atoi(rest);
	const char *words = strchr(rest, ' ');
	int len = snprintf(bytes, sizeof(bytes), "%c%c%s", code >> 8,
			   code & 255, words ? words + 1 : "");

	put_control(c, OP_CLOSE, bytes, code ? (size_t)len : 0);
	pause_ms(c, 2000);
}

static void play_bytes(struct connection *c, const struct step *step)
{
	struct fl_buf bytes = FL_BUF_INIT;

	take_hex(step->rest, &bytes);
	if (is(step, "binary"))
		put_frame(c, 0x80 | OP_BINARY, bytes.data, bytes.len, SIZE_MAX);
	else
		put(c, bytes.data, bytes.len);
	if (!is(step, "raw"))
		count(c, BAD);
	fl_buf_release(&bytes);
}

static void play(struct connection *c, const struct step *step)
{
	char *rest = step->rest;

	if (is(step, "accept") || is(step, "wrongkey")) {
		shake(c, is(step, "wrongkey"));
	} else if (is(step, "refuse")) {
		refuse(c, rest);
	} else if (is(step, "reply")) {
		put(c, rest, strlen(rest));
		drop(c);
	} else if (is(step, "subscribed")) {
		while (!c->heard && !c->gone)
			take_input(c, 100);
	} else if (is(step, "text")) {
		put_text(c, rest, GOOD);
	} else if (is(step, "passed")) {
		put_text(c, rest, PASSED);
	} else if (is(step, "spoilt")) {
		put_text(c, rest, BAD);
	} else if (is(step, "deaf")) {
		c->deaf = true;
	} else if (is(step, "fragments")) {
		unsigned parts = (unsigned)strtoul(rest, &rest, 10);

		put_fragments(c, parts, rest + 1);
	} else if (is(step, "binary") || is(step, "bad") || is(step, "raw")) {
		play_bytes(c, step);
	} else if (is(step, "cut")) {
		size_t keep = strtoul(rest, &rest, 10);

		put_frame(c, 0x80 | OP_TEXT, rest + 1, strlen(rest + 1), keep);
		count(c, BAD);
		drop(c);
	} else if (is(step, "ticks") || is(step, "storm")) {
		tick_often(c, rest, is(step, "storm"));
	} else if (is(step, "ping")) {
		put_control(c, OP_PING, rest, strlen(rest));
	} else if (is(step, "pong")) {
		while (strcmp(c->pong, rest) != 0 && !c->gone)
			take_input(c, 100);
	} else if (is(step, "close")) {
		say_goodbye(c, rest);
	} else if (is(step, "drop")) {
		drop(c);
	} else if (is(step, "reset")) {
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER,
			   &(struct linger){ 1, 0 }, sizeof(struct linger));
		c->gone = true;
	} else if (is(step, "mute")) {
		c->mute = true;
	} else if (is(step, "wait")) {
		pause_ms(c, atol(rest));
	} else {
		die("unknown step", step->word);
	}
}

static bool read_request(struct connection *c)
{
	char *agent, *target;

	while (!memmem(fl_buf_text(&c->in), c->in.len, "\r\n\r\n", 4))
		if (!get(c, 5000))
			return false;
	agent = strcasestr(c->in.data, "\r\nUser-Agent: ");
	target = strchr(c->in.data, ' ');
	note(c, "asks %.*s %.*s", target ? (int)strcspn(target + 1, " ") : 0,
	     target ? target + 1 : "",
	     agent ? (int)strcspn(agent + 14, "\r") : 0,
	     agent ? agent + 14 : "");
	return true;
}

static void *serve(void *arg)
{
	struct connection *c = arg;
	unsigned own = c->number < scripted ? c->number : scripted;

	c->dice = c->number * 7919;
	if (tls) {
		c->ssl = SSL_new(tls);
		SSL_set_fd(c->ssl, c->fd);
		c->gone = SSL_accept(c->ssl) != 1;
	}
	if (!c->gone && read_request(c)) {
		for (size_t i = 0; i < step_count && !c->gone; i++)
			if (steps[i].connection == own)
				play(c, &steps[i]);
		while (!c->gone)
			take_input(c, 100);
	}
	note(c, "sent %llu %llu %llu", (unsigned long long)sent[GOOD],
	     (unsigned long long)sent[PASSED], (unsigned long long)sent[BAD]);
	if (c->ssl)
		SSL_free(c->ssl);
	close(c->fd);
	fl_buf_release(&c->in);
	free(c);
	return NULL;
}

static void *meet(int fd, unsigned number)
{
	struct connection *c = fl_zalloc(sizeof(*c));

	c->fd = fd;
	c->number = number;
	return c;
}

static void begin_tls(const char *cert, const char *key)
{
	tls = SSL_CTX_new(TLS_server_method());
	if (!tls || SSL_CTX_use_certificate_chain_file(tls, cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1)
		die("cannot use", cert);
}

int main(int argc, char **argv)
{
	if (argc != 4 && argc != 6)
		die("usage:", "ws-script SCRIPT LOG PORT [CERT KEY]");
	read_script(argv[1]);
	if (argc == 6)
		begin_tls(argv[4], argv[5]);
	log_file = open_log(argv[2], "");
	serve_all(argv[3], meet, serve);
}
