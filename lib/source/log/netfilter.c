/* logs_netfilter: see netfilter.h.
 *
 * source  Linux net/netfilter/nf_log_syslog.c: [uptime] PREFIX IN= OUT= MAC=
 *         SRC= DST= …, words and K=V, the packet that an ICMP error quotes in
 *         [ ]
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/log/netfilter.h"

enum {
	MAC_LEN = 17, /* 02:42:ac:11:00:02 */
};

/* [12345.678901] */
static const char *skip_uptime(const char *at, const char *end)
{
	const char *p = at;

	if (p == end || *p != '[')
		return at;
	for (p++; p < end && (fl_logs_digit(*p) || *p == '.' || *p == ' '); p++)
		;
	if (p == end || *p != ']')
		return at;
	for (p++; p < end && *p == ' '; p++)
		;
	return p;
}

/* IN= at the beginning of a word, with OUT= as the next one. */
static const char *find_in(const char *at, const char *end)
{
	for (const char *p = at; (size_t)(end - p) >= 3; p++) {
		const char *word;

		p = memchr(p, 'I', (size_t)(end - p));
		if (!p || end - p < 3)
			return NULL;
		if (p[1] != 'N' || p[2] != '=')
			continue;
		word = fl_logs_until(p, end, ' ');
		if (fl_logs_starts(word, end, " OUT=") ||
		    fl_logs_starts(word, end, " PHYSIN="))
			return p;
	}
	return NULL;
}

/* Destination, source and type of the frame. */
static void put_macs(struct fl_logs_work *w, const char *text, size_t len)
{
	if (len < 2 * MAC_LEN + 1)
		return;
	fl_logs_mac(w, FL_LOGS_DESTINATION_MAC, text, MAC_LEN);
	fl_logs_mac(w, FL_LOGS_SOURCE_MAC, text + MAC_LEN + 1, MAC_LEN);
}

static void put_value(struct fl_logs_work *w, const char *key, size_t key_len,
		      const char *text, size_t len)
{
	uint32_t name = 0;

	if (key_len > 5)
		return;
	for (size_t i = 0; i < key_len && i < 4; i++)
		name = name << 8 | (unsigned char)key[i];
	switch (key_len == 5 ? 0 : name) {
	case 'I' << 8 | 'N':
		fl_logs_put(w, FL_LOGS_OBSERVER_INGRESS, text, len);
		break;
	case 'O' << 16 | 'U' << 8 | 'T':
		fl_logs_put(w, FL_LOGS_OBSERVER_EGRESS, text, len);
		break;
	case 'M' << 16 | 'A' << 8 | 'C':
		put_macs(w, text, len);
		break;
	case 'S' << 16 | 'R' << 8 | 'C':
		fl_logs_host(w, FL_LOGS_SOURCE_IP, text, len);
		break;
	case 'D' << 16 | 'S' << 8 | 'T':
		fl_logs_host(w, FL_LOGS_DESTINATION_IP, text, len);
		break;
	case 'L' << 16 | 'E' << 8 | 'N':
		/* The second one, of UDP, is of the datagram inside. */
		if (!fl_logs_has(w, FL_LOGS_NETWORK_BYTES))
			fl_logs_count(w, FL_LOGS_NETWORK_BYTES, text, len);
		break;
	case 'S' << 16 | 'P' << 8 | 'T':
		fl_logs_port(w, FL_LOGS_SOURCE_PORT, text, len);
		break;
	case 'D' << 16 | 'P' << 8 | 'T':
		fl_logs_port(w, FL_LOGS_DESTINATION_PORT, text, len);
		break;
	default:
		if (fl_logs_is(key, key_len, "PROTO"))
			fl_logs_protocol(w, text, len);
	}
}

static void put_direction(struct fl_logs_work *w)
{
	bool in = fl_logs_has(w, FL_LOGS_OBSERVER_INGRESS);
	bool out = fl_logs_has(w, FL_LOGS_OBSERVER_EGRESS);

	if (in && !out)
		fl_logs_say(w, FL_LOGS_NETWORK_DIRECTION, "inbound");
	else if (out && !in)
		fl_logs_say(w, FL_LOGS_NETWORK_DIRECTION, "outbound");
}

enum fl_logs_got fl_logs_netfilter(struct fl_logs_work *w,
				   struct fl_logs_text *prefix)
{
	const char *from = skip_uptime(w->at, w->end), *end = w->end;
	const char *at = find_in(from, end), *to;
	unsigned depth = 0;

	if (!at)
		return FL_LOGS_NOT_MINE;
	for (to = at; to > from && (to[-1] == ' ' || to[-1] == ':'); to--)
		;
	*prefix = (struct fl_logs_text){ from, (size_t)(to - from) };
	while (at < end) {
		const char *equals;

		to = fl_logs_until(at, end, ' ');
		if (*at == '[')
			depth++;
		equals = depth ? to : fl_logs_until(at, to, '=');
		if (equals < to)
			put_value(w, at, (size_t)(equals - at), equals + 1,
				  (size_t)(to - equals - 1));
		if (depth && to > at && to[-1] == ']')
			depth--;
		at = to < end ? to + 1 : to;
	}
	if (!fl_logs_has(w, FL_LOGS_SOURCE_IP) &&
	    !fl_logs_has(w, FL_LOGS_SOURCE_ADDRESS))
		return FL_LOGS_NOT_MINE;
	put_direction(w);
	fl_logs_put(w, FL_LOGS_RULE_NAME, prefix->at, prefix->len);
	fl_logs_say(w, FL_LOGS_OBSERVER_TYPE, "firewall");
	return FL_LOGS_RECORD;
}
