/* syslog: what machines send as it happens, by UDP, TCP and TLS.
 *
 * There is no position to go on from: what was sent while nobody listened is
 * with the senders, or lost. So a stop loses nothing that had arrived: it is
 * given before the end.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "net/listen.h"
#include "net/place.h"
#include "net/tls.h"
#include "source/log/options.h"
#include "source/log/parser.h"
#include "source/source.h"

#define TELL_NS (10 * FL_SECOND) /* between two words about lost datagrams */

static struct {
	struct fl_list listen;
	const char *format, *cert, *key, *ca, *framing;
	uint64_t max_message, max_peers, count;
	struct fl_list prefixes;
} option = {
	.max_message = 65536,
	.max_peers = 1000,
};

static const struct fl_option options[] = {
	FL_OPT_LIST(0, "listen", "PLACE,...", &option.listen,
		    "udp:[ADDR]:PORT, tcp:… and tls:…; without an address at "
		    "all of the machine's [udp::5514]"),
	FL_LOGS_OPT_FORMAT(&option.format),
	FL_OPT_WORD(0, "framing", "HOW", "auto lf octets", &option.framing,
		    "of messages in TCP and TLS, by RFC 6587: auto, lf, octets "
		    "[auto: by a connection's first bytes]"),
	FL_OPT_WORD(0, "tls-cert", "FILE", "@file", &option.cert,
		    "our certificate and those above it, PEM"),
	FL_OPT_WORD(0, "tls-key", "FILE", "@file", &option.key, "its key, PEM"),
	FL_OPT_WORD(
		0, "tls-ca", "FILE", "@file", &option.ca,
		"take senders only with a certificate of these authorities, "
		"PEM [any sender]"),
	FL_OPT_SIZE(0, "max-message", "SIZE", &option.max_message,
		    "refuse longer messages [64K, at most 900000]"),
	FL_OPT_U64(0, "max-senders", "N", &option.max_peers,
		   "connections at once; further ones wait [1000]"),
	FL_OPT_U64('n', "count", "N", &option.count,
		   "end after N messages [never]"),
	FL_LOGS_OPT_PREFIX(&option.prefixes),
	FL_OPT_END,
};

struct syslog {
	const struct fl_ask *ask;
	struct fl_logs_job job;
	struct fl_logs_parser parser;
	bool parsing;
	struct fl_logs_made made;
	struct fl_tls *tls;
	struct fl_listen *listen;
	uint64_t bytes;   /* counted so far */
	uint64_t dropped; /* told so far */
	uint64_t taken;   /* messages */
	int64_t told_ns;
};

static void tell(void *arg, const char *text)
{
	const struct fl_ask *ask = arg;

	if (ask->tell)
		ask->tell(ask->tell_arg, text);
}

static void tell_dropped(struct syslog *syslog, bool at_end)
{
	uint64_t dropped = fl_listen_dropped(syslog->listen);
	int64_t now = fl_monotonic_ns();
	char text[200];

	if (dropped == syslog->dropped ||
	    (!at_end && syslog->told_ns && now - syslog->told_ns < TELL_NS))
		return;
	snprintf(text, sizeof(text),
		 "%llu datagrams dropped by the kernel, %llu in all: they came "
		 "quicker than they could be read",
		 (unsigned long long)(dropped - syslog->dropped),
		 (unsigned long long)dropped);
	tell((void *)(uintptr_t)syslog->ask, text);
	syslog->dropped = dropped;
	syslog->told_ns = now;
}

/* --- messages --- */

static int refuse(struct syslog *syslog,
		  const struct fl_listen_message *message,
		  enum fl_reason reason, struct fl_error *err)
{
	char input[100];
	const struct fl_reject reject = {
		.reason = reason,
		.note = &syslog->made.note,
		.input = input,
		.line = syslog->taken,
		.raw = message->bytes,
		.raw_len = message->len,
		.raw_bytes = message->whole,
	};

	snprintf(input, sizeof(input), "%s:%s", message->place, message->peer);
	return fl_reject(syslog->ask->io, &reject, err);
}

/* What no parser need see: 1 refused, 0 a message, -1. */
static int check(struct syslog *syslog, const struct fl_listen_message *message,
		 struct fl_error *err)
{
	struct fl_note *note = &syslog->made.note;
	enum fl_reason reason = FL_REASON_too_long;

	if (message->unframed) {
		reason = FL_REASON_unknown_format;
		fl_note_set(note, "",
			    "no frame of RFC 6587 begins so; the connection "
			    "was closed");
	} else if (message->cut) {
		reason = FL_REASON_truncated;
		fl_note_set(note, "",
			    "the connection ended inside of the message");
	} else if (message->whole) {
		fl_note_set(note, "", "%llu bytes; --max-message allows %llu",
			    (unsigned long long)message->whole,
			    (unsigned long long)option.max_message);
	} else {
		return 0;
	}
	return refuse(syslog, message, reason, err) < 0 ? -1 : 1;
}

/* Blanks and line ends behind a message are the sender's habit. */
static size_t trimmed(const struct fl_listen_message *message)
{
	size_t len = message->len;

	while (len && (message->bytes[len - 1] == '\n' ||
		       message->bytes[len - 1] == '\r' ||
		       message->bytes[len - 1] == '\0'))
		len--;
	return len;
}

/* 1 an item, 0 none, -1. */
static int take(struct syslog *syslog, const struct fl_listen_message *message,
		struct fl_item *item, struct fl_error *err)
{
	size_t len = trimmed(message);
	int refused = check(syslog, message, err);
	enum fl_logs_got got;

	if (refused)
		return refused < 0 ? -1 : 0;
	if (!len)
		return 0;
	syslog->taken++;
	syslog->parser.peer = message->peer;
	got = fl_logs_parse(&syslog->parser, message->bytes, len, fl_now_ns(),
			    &syslog->made);
	if (got == FL_LOGS_REFUSED)
		return refuse(syslog, message, syslog->made.reason, err);
	if (got != FL_LOGS_RECORD)
		return 0;
	*item = (struct fl_item){
		.bytes = syslog->made.text.data,
		.len = syslog->made.text.len,
		.ts_ns = syslog->made.ts_ns,
	};
	return 1;
}

static int syslog_next(void *state, struct fl_item *item, struct fl_error *err)
{
	struct syslog *syslog = state;
	struct fl_io *io = syslog->ask->io;
	struct fl_listen_message message;
	int got;

	do {
		if (option.count && syslog->taken >= option.count)
			got = 0;
		else {
			if (io->stop && *io->stop)
				fl_listen_stop(syslog->listen);
			got = fl_listen_next(syslog->listen, &message, err);
		}
		io->counts.bytes_in +=
			fl_listen_bytes(syslog->listen) - syslog->bytes;
		syslog->bytes = fl_listen_bytes(syslog->listen);
		tell_dropped(syslog, got == 0);
		if (got != 1)
			return got;
		got = take(syslog, &message, item, err);
	} while (got == 0);
	return got;
}

/* --- opening --- */

static int take_framing(struct fl_listen_options *to, struct fl_error *err)
{
	static const char *const words[] = { "auto", "lf", "octets" };

	for (int i = 0; i < 3; i++)
		if (!option.framing || strcmp(option.framing, words[i]) == 0) {
			to->framing = (enum fl_syslog_framing)i;
			return 0;
		}
	return fl_error_set(
		err, FL_ERR_USAGE,
		"--framing takes auto, lf or octets, not '%s'",
		fl_show(option.framing, strlen(option.framing), 40));
}

static int check_options(const char *const *places, struct fl_error *err)
{
	bool secret = false;

	for (size_t i = 0; places[i]; i++) {
		if (fl_place_check(places[i], err) < 0)
			return fl_error_wrap(err, "--listen");
		secret = secret || strncmp(places[i], "tls:", 4) == 0;
	}
	if (secret && (!option.cert || !option.key))
		return fl_error_set(err, FL_ERR_USAGE,
				    "--listen tls: needs --tls-cert FILE and "
				    "--tls-key FILE");
	if (!secret && (option.cert || option.key || option.ca))
		return fl_error_set(err, FL_ERR_USAGE,
				    "--tls-cert, --tls-key and --tls-ca go "
				    "with --listen tls:[ADDR]:PORT");
	if (!option.max_message || option.max_message > FL_LINE_MAX)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--max-message takes 1 to 900000 bytes");
	if (!option.max_peers)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--max-senders takes 1 or more");
	return 0;
}

static void syslog_close(void *state)
{
	struct syslog *syslog = state;

	if (!syslog)
		return;
	fl_listen_close(&syslog->listen);
	fl_tls_close(&syslog->tls);
	if (syslog->parsing)
		fl_logs_parser_release(&syslog->parser);
	fl_buf_release(&syslog->made.text);
	free(syslog);
}

static int syslog_open(void **state, const struct fl_ask *ask,
		       struct fl_error *err)
{
	static const char *const usual[] = { "udp::5514", NULL };
	struct fl_listen_options to = { 0 };
	struct syslog *syslog;

	*state = syslog = fl_zalloc(sizeof(*syslog));
	if (ask->operands && *ask->operands)
		return fl_error_set(
			err, FL_ERR_USAGE,
			"syslog takes no operand; fl-fetch log "
			"'%s' reads a file",
			fl_show(*ask->operands, strlen(*ask->operands), 100));
	to.places = option.listen.count ? option.listen.items : usual;
	to.max_message = (size_t)option.max_message;
	to.max_peers = (size_t)option.max_peers;
	to.tell = tell;
	to.tell_arg = (void *)(uintptr_t)ask;
	syslog->ask = ask;
	syslog->job = (struct fl_logs_job){ .io = ask->io,
					    .prefixes = &option.prefixes,
					    .received = true };
	if (take_framing(&to, err) < 0 || check_options(to.places, err) < 0 ||
	    fl_logs_format_find(option.format, &syslog->job.format, err) < 0 ||
	    fl_logs_prefixes_check(&option.prefixes, err) < 0)
		return -1;
	if (option.cert && fl_tls_open(&syslog->tls, option.cert, option.key,
				       option.ca, err) < 0)
		return -1;
	to.tls = syslog->tls;
	fl_logs_parser_init(&syslog->parser, &syslog->job, FL_TIME_NONE);
	syslog->parsing = true;
	if (fl_listen_open(&syslog->listen, &to, err) < 0)
		return -1;
	for (size_t i = 0; *fl_listen_place(syslog->listen, i); i++) {
		char text[120];

		snprintf(text, sizeof(text), "listening at %s",
			 fl_listen_place(syslog->listen, i));
		tell(to.tell_arg, text);
	}
	return 0;
}

const struct fl_source fl_source_syslog = {
	.name = "syslog",
	.summary = "what machines send by UDP, TCP and TLS (RFC 3164, 5424, "
		   "6587, 5425)",
	.types = "log",
	.operands = "",
	.examples =
		"fl-fetch syslog\n"
		"fl-fetch syslog --listen udp::5514,tcp::5514 | fl-clean | "
		"fl-load lake.db\n"
		"fl-fetch syslog --listen tls::6514 --tls-cert cert.pem "
		"--tls-key key.pem\n"
		"fl-fetch syslog --format cef --listen udp:127.0.0.1:5514 -n "
		"100",
	.options = options,
	.open = syslog_open,
	.next = syslog_next,
	.close = syslog_close,
};
