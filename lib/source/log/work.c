/* logs_work: see work.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/log/work.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

static const char *const paths[] = {
#define X(name, path) path,
#include "source/log/fields.def"
#undef X
};

static_assert(FL_LOGS_FIELDS <= 64, "a word of bits holds what is set");

enum {
	LABEL_MAX = 200, /* rec/forms.c */
	IP_MAX = 45,
};

static void set(struct fl_logs_work *w, enum fl_logs_field field,
		const char *text, size_t len, bool raw)
{
	w->set |= UINT64_C(1) << field;
	w->values[field] = (struct fl_logs_value){ text, (uint32_t)len, raw };
}

/* Is there something? */
static bool any(const char *text, size_t len)
{
	return len && !(len == 1 && *text == '-');
}

void fl_logs_put(struct fl_logs_work *w, enum fl_logs_field field,
		 const char *text, size_t len)
{
	if (any(text, len))
		set(w, field, text, len, false);
}

void fl_logs_say(struct fl_logs_work *w, enum fl_logs_field field,
		 const char *text)
{
	set(w, field, text, strlen(text), *text == '[');
}

void fl_logs_label(struct fl_logs_work *w, enum fl_logs_field field,
		   const char *text, size_t len)
{
	if (!any(text, len) || len > LABEL_MAX)
		return;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return;
	set(w, field, text, len, false);
}

void fl_logs_lower(struct fl_logs_work *w, enum fl_logs_field field,
		   const char *text, size_t len)
{
	char *copy = fl_logs_copy(w, text, len);

	for (size_t i = 0; i < len; i++)
		if (copy[i] >= 'A' && copy[i] <= 'Z')
			copy[i] = (char)(copy[i] - 'A' + 'a');
	fl_logs_label(w, field, copy, len);
}

bool fl_logs_number(const char *text, size_t len, int64_t *value)
{
	int64_t sum = 0;

	for (size_t i = 0; i < len; i++) {
		if (!fl_logs_digit(text[i]) ||
		    __builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, text[i] - '0', &sum))
			return false;
	}
	*value = sum;
	return len > 0;
}

static void put_number(struct fl_logs_work *w, enum fl_logs_field field,
		       const char *text, size_t len, int64_t max)
{
	int64_t value;

	if (!any(text, len))
		return;
	if (!fl_logs_number(text, len, &value) || value > max) {
		fl_logs_refuse(w, FL_REASON_out_of_range, paths[field],
			       "'%s' is '%s', not a number from 0 to %lld",
			       paths[field], fl_show(text, len, 40),
			       (long long)max);
		return;
	}
	while (len > 1 && *text == '0') {
		text++;
		len--;
	}
	set(w, field, text, len, true);
}

void fl_logs_count(struct fl_logs_work *w, enum fl_logs_field field,
		   const char *text, size_t len)
{
	/* Records hold numbers of up to 18 digits. */
	put_number(w, field, text, len, INT64_C(999999999999999999));
}

void fl_logs_port(struct fl_logs_work *w, enum fl_logs_field field,
		  const char *text, size_t len)
{
	put_number(w, field, text, len, 65535);
}

void fl_logs_integer(struct fl_logs_work *w, enum fl_logs_field field,
		     int64_t value)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%lld", (long long)value);

	set(w, field, fl_logs_copy(w, text, (size_t)len), (size_t)len, true);
}

bool fl_logs_is_v4(const char *text, size_t len)
{
	int parts = 0;

	for (size_t i = 0; i < len;) {
		unsigned value = 0;
		size_t from = i;

		for (; i < len && fl_logs_digit(text[i]) && i - from < 3; i++)
			value = value * 10 + (unsigned)(text[i] - '0');
		if (i == from || value > 255)
			return false;
		parts++;
		if (i == len)
			break;
		if (text[i++] != '.' || i == len)
			return false;
	}
	return parts == 4;
}

bool fl_logs_is_ip(const char *text, size_t len, bool *v6)
{
	struct in6_addr address;
	char copy[IP_MAX + 1];

	*v6 = false;
	if (fl_logs_is_v4(text, len))
		return true;
	if (len < 2 || len > IP_MAX || !memchr(text, ':', len))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	*v6 = true;
	return inet_pton(AF_INET6, copy, &address) == 1;
}

void fl_logs_host(struct fl_logs_work *w, enum fl_logs_field field,
		  const char *text, size_t len)
{
	bool v6;

	if (!any(text, len))
		return;
	if (!fl_logs_is_ip(text, len, &v6)) {
		fl_logs_put(w,
			    field == FL_LOGS_SOURCE_IP
				    ? FL_LOGS_SOURCE_ADDRESS
				    : FL_LOGS_DESTINATION_ADDRESS,
			    text, len);
		return;
	}
	set(w, field, text, len, false);
	fl_logs_say(w, FL_LOGS_NETWORK_TYPE, v6 ? "ipv6" : "ipv4");
}

void fl_logs_nat(struct fl_logs_work *w, enum fl_logs_field field,
		 const char *text, size_t len)
{
	bool v6;

	/* 0.0.0.0 is how devices say that nothing is translated. */
	if (fl_logs_is_ip(text, len, &v6) && !fl_logs_is(text, len, "0.0.0.0"))
		set(w, field, text, len, false);
}

void fl_logs_protocol(struct fl_logs_work *w, const char *text, size_t len)
{
	static const struct {
		const char *name, *number;
	} known[] = {
		{ "tcp", "6" },        { "udp", "17" },   { "icmp", "1" },
		{ "ipv6-icmp", "58" }, { "igmp", "2" },   { "ipv6", "41" },
		{ "gre", "47" },       { "esp", "50" },   { "ah", "51" },
		{ "eigrp", "88" },     { "ospf", "89" },  { "pim", "103" },
		{ "vrrp", "112" },     { "sctp", "132" }, { "udplite", "136" },
	};
	static const struct {
		const char *spelt, *name;
	} others[] = {
		{ "icmpv6", "ipv6-icmp" },
		{ "icmp6", "ipv6-icmp" },
		{ "carp", "vrrp" },
	};
	int64_t number;

	if (!any(text, len))
		return;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (len == strlen(others[i].spelt) &&
		    strncasecmp(text, others[i].spelt, len) == 0) {
			text = others[i].name;
			len = strlen(text);
		}
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		const char *name = known[i].name, *digits = known[i].number;

		if (!fl_logs_is(text, len, digits) &&
		    !(len == strlen(name) && strncasecmp(text, name, len) == 0))
			continue;
		fl_logs_say(w, FL_LOGS_NETWORK_TRANSPORT, name);
		fl_logs_say(w, FL_LOGS_NETWORK_IANA, digits);
		return;
	}
	if (fl_logs_number(text, len, &number)) {
		if (number < 256)
			fl_logs_label(w, FL_LOGS_NETWORK_IANA, text, len);
		return;
	}
	fl_logs_lower(w, FL_LOGS_NETWORK_TRANSPORT, text, len);
}

/* ECS has capitals and dashes: 00-00-5E-00-53-23. */
void fl_logs_mac(struct fl_logs_work *w, enum fl_logs_field field,
		 const char *text, size_t len)
{
	char *copy;

	if (len != 17)
		return;
	copy = fl_logs_copy(w, text, len);
	for (size_t i = 0; i < len; i++) {
		char c = copy[i];

		if (i % 3 == 2) {
			if (c != ':' && c != '-')
				return;
			copy[i] = '-';
		} else if (c >= 'a' && c <= 'f') {
			copy[i] = (char)(c - 'a' + 'A');
		} else if (!fl_logs_digit(c) && !(c >= 'A' && c <= 'F')) {
			return;
		}
	}
	set(w, field, copy, len, false);
}

void fl_logs_verdict(struct fl_logs_work *w, enum fl_logs_verdict verdict,
		     bool web)
{
	static const char *const actions[] = { "allow", "deny",  "drop",
					       "reset", "audit", "challenge" };

	if (verdict == FL_LOGS_NO_VERDICT)
		return;
	fl_logs_say(w, FL_LOGS_EVENT_ACTION, actions[verdict]);
	if (verdict == FL_LOGS_AUDIT || verdict == FL_LOGS_CHALLENGE)
		return;
	if (verdict == FL_LOGS_ALLOW)
		fl_logs_say(w, FL_LOGS_EVENT_TYPE,
			    web ? "[\"access\",\"allowed\"]"
				: "[\"connection\",\"allowed\"]");
	else
		fl_logs_say(w, FL_LOGS_EVENT_TYPE,
			    web ? "[\"access\",\"denied\"]"
				: "[\"connection\",\"denied\"]");
	/* Of the device's action: a block that worked is a success. */
	fl_logs_say(w, FL_LOGS_EVENT_OUTCOME, "success");
}

bool fl_logs_act(struct fl_logs_work *w, const char *text, size_t len, bool web)
{
	enum fl_logs_verdict verdict = fl_logs_verdict_of(text, len);

	if (verdict == FL_LOGS_NO_VERDICT)
		fl_logs_lower(w, FL_LOGS_EVENT_ACTION, text, len);
	fl_logs_verdict(w, verdict, web);
	return verdict != FL_LOGS_NO_VERDICT;
}

enum fl_logs_verdict fl_logs_verdict_of(const char *text, size_t len)
{
	static const struct {
		const char *word;
		enum fl_logs_verdict verdict;
	} words[] = {
		{ "allow", FL_LOGS_ALLOW },
		{ "allowed", FL_LOGS_ALLOW },
		{ "accept", FL_LOGS_ALLOW },
		{ "accepted", FL_LOGS_ALLOW },
		{ "pass", FL_LOGS_ALLOW },
		{ "permit", FL_LOGS_ALLOW },
		{ "permitted", FL_LOGS_ALLOW },
		{ "alert", FL_LOGS_AUDIT },
		{ "deny", FL_LOGS_DENY },
		{ "denied", FL_LOGS_DENY },
		{ "block", FL_LOGS_DENY },
		{ "blocked", FL_LOGS_DENY },
		{ "block-url", FL_LOGS_DENY },
		{ "block-ip", FL_LOGS_DENY },
		{ "block-continue", FL_LOGS_DENY },
		{ "sinkhole", FL_LOGS_DENY },
		{ "reject", FL_LOGS_DENY },
		{ "rejected", FL_LOGS_DENY },
		{ "drop", FL_LOGS_DROP },
		{ "dropped", FL_LOGS_DROP },
		{ "drop-icmp", FL_LOGS_DROP },
		{ "discard", FL_LOGS_DROP },
		{ "reset", FL_LOGS_RESET },
		{ "reset-client", FL_LOGS_RESET },
		{ "reset-server", FL_LOGS_RESET },
		{ "reset-both", FL_LOGS_RESET },
		{ "audit", FL_LOGS_AUDIT },
		{ "count", FL_LOGS_AUDIT },
		{ "log", FL_LOGS_AUDIT },
		{ "captcha", FL_LOGS_CHALLENGE },
		{ "challenge", FL_LOGS_CHALLENGE },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (len == strlen(words[i].word) &&
		    strncasecmp(text, words[i].word, len) == 0)
			return words[i].verdict;
	return FL_LOGS_NO_VERDICT;
}

char *fl_logs_copy(struct fl_logs_work *w, const char *text, size_t len)
{
	return fl_arena_strndup(&w->arena, text, len);
}

enum fl_logs_got fl_logs_refuse(struct fl_logs_work *w, enum fl_reason reason,
				const char *field, const char *format, ...)
{
	char text[sizeof(w->note->detail)];
	va_list args;

	if (w->reason != FL_REASON_NONE)
		return FL_LOGS_REFUSED;
	w->reason = reason;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fl_note_set(w->note, field, "%s", text);
	return FL_LOGS_REFUSED;
}

/* Close the objects that `path` is not in, and open those that it is: `open` is
 * the path before it. */
static void step_to(const char *open, const char *path, struct fl_buf *out)
{
	size_t same = 0;
	const char *dot;

	for (size_t i = 0; open[i] && open[i] == path[i]; i++)
		if (path[i] == '.')
			same = i + 1;
	for (dot = strchr(open + same, '.'); dot; dot = strchr(dot + 1, '.'))
		fl_buf_putc(out, '}');
	fl_buf_putc(out, ',');
	path += same;
	while ((dot = strchr(path, '.'))) {
		fl_buf_putc(out, '"');
		fl_buf_append(out, path, (size_t)(dot - path));
		fl_buf_append(out, "\":{", 3);
		path = dot + 1;
	}
	fl_buf_putc(out, '"');
	fl_buf_puts(out, path);
	fl_buf_append(out, "\":", 2);
}

void fl_logs_print(const struct fl_logs_work *w, struct fl_buf *out)
{
	const char *open = "";

	for (uint64_t left = w->set; left; left &= left - 1) {
		int field = __builtin_ctzll(left);
		const struct fl_logs_value *value = &w->values[field];

		step_to(open, paths[field], out);
		open = paths[field];
		if (value->raw)
			fl_buf_append(out, value->text, value->len);
		else
			fl_buf_json_string(out, value->text, value->len);
	}
	for (const char *dot = strchr(open, '.'); dot;
	     dot = strchr(dot + 1, '.'))
		fl_buf_putc(out, '}');
}

/* --- pieces --- */

size_t fl_logs_split(struct fl_logs_work *w, const char *at, const char *end,
		     char separator, struct fl_logs_text *cells, size_t max)
{
	size_t count = 0;

	for (;;) {
		const char *to = fl_logs_until(at, end, separator);
		struct fl_logs_text cell = { at, (size_t)(to - at) };

		if (at < end && *at == '"') {
			char *copy =
				fl_logs_copy(w, at + 1, (size_t)(end - at - 1));
			size_t len = 0;

			/* "" inside is one quote. */
			for (to = at + 1; to < end; to++) {
				if (*to == '"' &&
				    (to + 1 == end || to[1] != '"'))
					break;
				to += *to == '"';
				copy[len++] = *to;
			}
			cell = (struct fl_logs_text){ copy, len };
			to = to < end ? fl_logs_until(to, end, separator) : end;
		}
		if (count < max)
			cells[count] = cell;
		count++;
		if (to == end)
			return count;
		at = to + 1;
	}
}

struct fl_logs_text fl_logs_unescape(struct fl_logs_work *w, const char *text,
				     size_t len)
{
	char *copy;
	size_t kept = 0;

	if (!memchr(text, '\\', len))
		return (struct fl_logs_text){ text, len };
	copy = fl_logs_copy(w, text, len);
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '\\' && i + 1 < len) {
			c = text[++i];
			if (c == 'n')
				c = '\n';
			else if (c == 'r')
				c = '\r';
			else if (!memchr("\\=|", c, 3))
				copy[kept++] = '\\';
		}
		copy[kept++] = c;
	}
	return (struct fl_logs_text){ copy, kept };
}
