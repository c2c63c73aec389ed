/* logs_cisco_asa: messages of Cisco's ASA, FTD and PIX.
 *
 * Each message number has its own sentence: a table of them, in a little
 * language, is the parser. What no sentence of its number fits keeps number,
 * severity and text.
 *
 *   %s %d   source, destination: ip[/port]
 *   %S %D   the same with their interface before: if:ip[/port], if/ip(port)
 *   %e %E   the same as %s %d, but what follows the / is no port
 *   %m %M   translated source, destination
 *   %T      as %S, but the translated source
 *   %p protocol  %x direction  %v verdict  %a access list  %i interface
 *   %n bytes  %u user  %r the rest, as reason  %- anything, up to what follows
 *
 * source  Cisco, "ASA Series Syslog Messages"; a connection's first end is the
 *         outer one, so of one that is built outbound it is the destination
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "source/log/work.h"

static const struct sentence {
	const char *id;
	enum fl_logs_verdict verdict;
	const char *text;
} sentences[] = {
	{ "106001", FL_LOGS_DENY,
	  "%x %p connection denied from %s to %d flags %- on interface %i" },
	{ "106006", FL_LOGS_DENY, "Deny %x %p from %s to %d on interface %i" },
	{ "106007", FL_LOGS_DENY, "Deny %x %p from %s to %d due to %r" },
	{ "106010", FL_LOGS_DENY, "Deny %x protocol %p src %S dst %D" },
	{ "106010", FL_LOGS_DENY, "Deny %x %p src %S dst %D" },
	{ "106014", FL_LOGS_DENY, "Deny %x %p src %S dst %D (type %-)" },
	{ "106015", FL_LOGS_DENY,
	  "Deny %p (no connection) from %s to %d flags %- on interface %i" },
	{ "106021", FL_LOGS_DENY,
	  "Deny %p reverse path check from %s to %d on interface %i" },
	{ "106023", FL_LOGS_DENY,
	  "Deny protocol %p src %S dst %D by access-group %a" },
	{ "106023", FL_LOGS_DENY, "Deny %p src %S dst %D by access-group %a" },
	{ "106023", FL_LOGS_DENY,
	  "Deny %p src %S dst %D (type %-) by access-group %a" },
	{ "106100", FL_LOGS_NO_VERDICT,
	  "access-list %a %v %p %S -> %D hit-cnt %-" },
	{ "106102", FL_LOGS_NO_VERDICT,
	  "access-list %a %v %p for user %u %S -> %D hit-cnt %-" },
	{ "106103", FL_LOGS_NO_VERDICT,
	  "access-list %a %v %p for user %u %S -> %D hit-cnt %-" },
	{ "302013", FL_LOGS_ALLOW,
	  "Built outbound %p connection %- for %D (%M)%- to %S (%m)%-" },
	{ "302013", FL_LOGS_ALLOW,
	  "Built %x %p connection %- for %S (%m)%- to %D (%M)%-" },
	{ "302015", FL_LOGS_ALLOW,
	  "Built outbound %p connection %- for %D (%M)%- to %S (%m)%-" },
	{ "302015", FL_LOGS_ALLOW,
	  "Built %x %p connection %- for %S (%m)%- to %D (%M)%-" },
	{ "302014", FL_LOGS_NO_VERDICT,
	  "Teardown %p connection %- for %S to %D duration %- bytes %n %r" },
	{ "302014", FL_LOGS_NO_VERDICT,
	  "Teardown %p connection %- for %S to %D duration %- bytes %n" },
	{ "302016", FL_LOGS_NO_VERDICT,
	  "Teardown %p connection %- for %S to %D duration %- bytes %n %r" },
	{ "302016", FL_LOGS_NO_VERDICT,
	  "Teardown %p connection %- for %S to %D duration %- bytes %n" },
	{ "302020", FL_LOGS_ALLOW,
	  "Built outbound %p connection for faddr %E gaddr %- laddr %e" },
	{ "302020", FL_LOGS_ALLOW,
	  "Built %x %p connection for faddr %e gaddr %- laddr %E" },
	{ "302021", FL_LOGS_NO_VERDICT,
	  "Teardown %p connection for faddr %e gaddr %- laddr %E" },
	{ "305011", FL_LOGS_NO_VERDICT,
	  "Built dynamic %p translation from %S to %T" },
	{ "305011", FL_LOGS_NO_VERDICT,
	  "Built static %p translation from %S to %T" },
	{ "305012", FL_LOGS_NO_VERDICT,
	  "Teardown dynamic %p translation from %S to %T duration %-" },
	{ "305012", FL_LOGS_NO_VERDICT,
	  "Teardown static %p translation from %S to %T duration %-" },
	{ "313001", FL_LOGS_DENY,
	  "Denied %p type=%-, code=%- from %e on interface %i" },
	{ "313004", FL_LOGS_DENY,
	  "Denied %p type=%-, from laddr %e on interface %i to %E: %r" },
	{ "313004", FL_LOGS_DENY,
	  "Denied %p type=%-, from %e on interface %i to %E: %r" },
	{ "313008", FL_LOGS_DENY,
	  "Denied %p type=%-, code=%- from %e on interface %i" },
	{ "419001", FL_LOGS_DROP,
	  "Dropping %p packet from %S to %D, reason: %r" },
	{ "419002", FL_LOGS_NO_VERDICT,
	  "Duplicate %p SYN from %S to %D with %r" },
	{ "710001", FL_LOGS_NO_VERDICT, "%p access requested from %s to %D" },
	{ "710002", FL_LOGS_ALLOW, "%p access permitted from %s to %D" },
	{ "710003", FL_LOGS_DENY, "%p access denied by ACL from %s to %D" },
	{ "710004", FL_LOGS_DENY,
	  "%p connection limit exceeded from %s to %D" },
	{ "710005", FL_LOGS_DROP, "%p request discarded from %s to %D" },
	{ "710006", FL_LOGS_DROP, "%p request discarded from %s to %D" },
};

enum {
	CODE_LEN = 6,
};

struct fields {
	enum fl_logs_field ip, port, user, interface;
};

static const struct fields source = { FL_LOGS_SOURCE_IP, FL_LOGS_SOURCE_PORT,
				      FL_LOGS_SOURCE_USER,
				      FL_LOGS_OBSERVER_INGRESS };
static const struct fields destination = { FL_LOGS_DESTINATION_IP,
					   FL_LOGS_DESTINATION_PORT,
					   FL_LOGS_DESTINATION_USER,
					   FL_LOGS_OBSERVER_EGRESS };
static const struct fields source_nat = { FL_LOGS_SOURCE_NAT_IP,
					  FL_LOGS_SOURCE_NAT_PORT,
					  FL_LOGS_FIELDS, FL_LOGS_FIELDS };
static const struct fields destination_nat = { FL_LOGS_DESTINATION_NAT_IP,
					       FL_LOGS_DESTINATION_NAT_PORT,
					       FL_LOGS_FIELDS, FL_LOGS_FIELDS };

static bool is_nat(const struct fields *fields)
{
	return fields->user == FL_LOGS_FIELDS;
}

/* ip or ip/port. Services stand by name as well: /https */
static bool put_address(struct fl_logs_work *w, const struct fields *fields,
			const char *at, const char *end, bool port)
{
	const char *slash = fl_logs_until(at, end, '/');
	bool v6;

	if (!fl_logs_is_ip(at, (size_t)(slash - at), &v6))
		return false;
	(is_nat(fields) ? fl_logs_nat : fl_logs_host)(w, fields->ip, at,
						      (size_t)(slash - at));
	if (port && slash + 1 < end && fl_logs_digit(slash[1]))
		fl_logs_port(w, fields->port, slash + 1,
			     (size_t)(end - slash - 1));
	return true;
}

/* if:ip[/port], if/ip(port), each with (user) behind. */
static bool put_end(struct fl_logs_work *w, const struct fields *fields,
		    const char *at, const char *end)
{
	const char *open = fl_logs_until(at, end, '(');
	const char *stop, *colon, *slash;
	struct fl_logs_text port = { "", 0 };

	if (open < end && open + 1 < end && fl_logs_digit(open[1])) {
		stop = fl_logs_until(open, end, ')');
		port = (struct fl_logs_text){ open + 1,
					      (size_t)(stop - open - 1) };
		stop = stop < end ? fl_logs_until(stop + 1, end, '(') : end;
	} else {
		stop = open;
	}
	if (stop + 2 < end && !is_nat(fields))
		fl_logs_put(w, fields->user, stop + 1,
			    (size_t)(fl_logs_until(stop, end, ')') - stop - 1));
	/* Of an address that has colons itself the first one is the
	 * interface's, unless it has none. */
	if (put_address(w, fields, at, open, !port.len)) {
		fl_logs_port(w, fields->port, port.at, port.len);
		return true;
	}
	colon = fl_logs_until(at, open, ':');
	slash = fl_logs_until(at, open, '/');
	if (slash < colon)
		colon = slash;
	if (colon == open ||
	    !put_address(w, fields, colon + 1, open, !port.len))
		return false;
	fl_logs_port(w, fields->port, port.at, port.len);
	if (!is_nat(fields))
		fl_logs_put(w, fields->interface, at, (size_t)(colon - at));
	return true;
}

static bool put_part(struct fl_logs_work *w, char what, const char *at,
		     const char *end)
{
	size_t len = (size_t)(end - at);
	enum fl_logs_verdict verdict;

	if (!len && what != '-')
		return false;
	switch (what) {
	case 's':
		return put_address(w, &source, at, end, true);
	case 'd':
		return put_address(w, &destination, at, end, true);
	case 'e':
		return put_address(w, &source, at, fl_logs_until(at, end, '('),
				   false);
	case 'E':
		return put_address(w, &destination, at,
				   fl_logs_until(at, end, '('), false);
	case 'm':
		return put_address(w, &source_nat, at, end, true);
	case 'M':
		return put_address(w, &destination_nat, at, end, true);
	case 'S':
		return put_end(w, &source, at, end);
	case 'D':
		return put_end(w, &destination, at, end);
	case 'T':
		return put_end(w, &source_nat, at, end);
	case 'p':
		fl_logs_protocol(w, at, len);
		return true;
	case 'x':
		fl_logs_lower(w, FL_LOGS_NETWORK_DIRECTION, at, len);
		return true;
	case 'v':
		verdict = fl_logs_is(at, len, "est-allowed")
				  ? FL_LOGS_ALLOW
				  : fl_logs_verdict_of(at, len);
		fl_logs_verdict(w, verdict, false);
		return verdict != FL_LOGS_NO_VERDICT;
	case 'a':
		if (len > 2 && *at == '"')
			fl_logs_put(w, FL_LOGS_RULE_RULESET, at + 1, len - 2);
		else
			fl_logs_put(w, FL_LOGS_RULE_RULESET, at, len);
		return true;
	case 'i':
		fl_logs_put(w, FL_LOGS_OBSERVER_INGRESS, at, len);
		return true;
	case 'n':
		fl_logs_count(w, FL_LOGS_NETWORK_BYTES, at, len);
		return true;
	case 'u':
		if (len > 2 && *at == '\'')
			fl_logs_put(w, FL_LOGS_SOURCE_USER, at + 1, len - 2);
		return true;
	case 'r':
		fl_logs_put(w, FL_LOGS_EVENT_REASON, at, len);
		return true;
	default:
		return true; /* %- */
	}
}

/* Where a part ends: at what follows it in the sentence, or at a blank. */
static const char *part_end(char what, const char *pattern, const char *at,
			    const char *end)
{
	size_t literal = strcspn(pattern, "%");
	const char *found;

	if (!*pattern)
		return what == '-' || what == 'r' ? end
						  : fl_logs_until(at, end, ' ');
	if (!literal)
		return at; /* %-%x: no sentence has it */
	found = memmem(at, (size_t)(end - at), pattern, literal);
	/* At the end of an end a user may stand, after a blank. */
	return found;
}

static bool fits(struct fl_logs_work *w, const char *pattern, const char *at,
		 const char *end)
{
	while (*pattern) {
		char what;
		const char *to;

		if (*pattern != '%') {
			if (at == end || *at != *pattern)
				return false;
			at++;
			pattern++;
			continue;
		}
		what = pattern[1];
		pattern += 2;
		to = part_end(what, pattern, at, end);
		if (!to)
			return false;
		/* One word, but for what may be anything, and for names that
		 * follow an end: outside:192.0.2.1/80 (user). */
		if (what != '-' && what != 'r') {
			const char *blank = fl_logs_until(at, to, ' ');

			if (blank < to && !(strchr("SDT", what) &&
					    blank + 1 < to && blank[1] == '('))
				return false;
			if (!put_part(w, what, at, blank))
				return false;
		} else if (!put_part(w, what, at, to)) {
			return false;
		}
		at = to;
	}
	return true;
}

static void put_type(struct fl_logs_work *w, const char *at)
{
	fl_logs_say(w, FL_LOGS_EVENT_CATEGORY, "[\"network\"]");
	if (fl_logs_starts(at, w->end, "Built"))
		fl_logs_say(w, FL_LOGS_EVENT_TYPE,
			    fl_logs_has(w, FL_LOGS_EVENT_ACTION)
				    ? "[\"connection\",\"start\",\"allowed\"]"
				    : "[\"connection\",\"start\"]");
	else if (fl_logs_starts(at, w->end, "Teardown"))
		fl_logs_say(w, FL_LOGS_EVENT_TYPE, "[\"connection\",\"end\"]");
	else if (!fl_logs_has(w, FL_LOGS_EVENT_TYPE))
		fl_logs_say(w, FL_LOGS_EVENT_TYPE, "[\"connection\"]");
	if (fl_logs_starts(at, w->end, "Built outbound"))
		fl_logs_say(w, FL_LOGS_NETWORK_DIRECTION, "outbound");
}

static void put_sentence(struct fl_logs_work *w, const char *id, const char *at)
{
	for (size_t i = 0; i < sizeof(sentences) / sizeof(*sentences); i++) {
		const struct sentence *sentence = &sentences[i];
		uint64_t before = w->set;

		if (memcmp(sentence->id, id, CODE_LEN) != 0)
			continue;
		if (fits(w, sentence->text, at, w->end) &&
		    w->reason == FL_REASON_NONE) {
			fl_logs_verdict(w, sentence->verdict, false);
			put_type(w, at);
			return;
		}
		w->set = before;
		w->reason = FL_REASON_NONE;
	}
}

static enum fl_logs_got parse(struct fl_logs_work *w)
{
	static const char *const products[] = { "ASA", "FTD", "PIX" };
	const char *at = w->at, *product = NULL, *id;

	if (at == w->end || *at++ != '%')
		return FL_LOGS_NOT_MINE;
	for (int i = 0; i < 3; i++)
		if (fl_logs_starts(at, w->end, products[i]))
			product = products[i];
	/* ASA-4-106023: */
	if (!product || w->end - at < 12 || at[3] != '-' ||
	    !fl_logs_digit(at[4]) || at[5] != '-')
		return FL_LOGS_NOT_MINE;
	id = at + 6;
	if (w->end - at > 6 + CODE_LEN && id[CODE_LEN] != ':')
		return FL_LOGS_NOT_MINE;
	for (int i = 0; i < CODE_LEN; i++)
		if (!fl_logs_digit(id[i]))
			return FL_LOGS_NOT_MINE;
	fl_logs_integer(w, FL_LOGS_EVENT_SEVERITY, at[4] - '0');
	fl_logs_label(w, FL_LOGS_EVENT_CODE, id, CODE_LEN);
	at = id + CODE_LEN;
	while (at < w->end && (*at == ':' || *at == ' '))
		at++;
	fl_logs_put(w, FL_LOGS_MESSAGE, at, (size_t)(w->end - at));
	fl_logs_say(w, FL_LOGS_OBSERVER_VENDOR, "Cisco");
	fl_logs_say(w, FL_LOGS_OBSERVER_PRODUCT, product);
	fl_logs_say(w, FL_LOGS_OBSERVER_TYPE, "firewall");
	if (fl_logs_is(id, CODE_LEN, "733100"))
		fl_logs_say(w, FL_LOGS_EVENT_KIND, "alert");
	put_sentence(w, id, at);
	return FL_LOGS_RECORD;
}

const struct fl_logs_format fl_logs_format_cisco_asa = {
	.name = "cisco_asa",
	.parse = parse,
};
