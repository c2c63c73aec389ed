/* logs_iptables: lines of the kernel's packet filter.
 *
 * The line has no verdict: what --log-prefix means, --prefix-action says.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/log/netfilter.h"
#include "source/log/parser.h"

static enum fl_logs_verdict verdict_of(const struct fl_list *prefixes,
				       const struct fl_logs_text *prefix)
{
	for (uint64_t i = 0; prefixes && i < prefixes->count; i++) {
		const char *equals = strrchr(prefixes->items[i], '=');
		size_t len = (size_t)(equals - prefixes->items[i]);

		while (len && (prefixes->items[i][len - 1] == ' ' ||
			       prefixes->items[i][len - 1] == ':'))
			len--;
		if (len == prefix->len &&
		    memcmp(prefixes->items[i], prefix->at, len) == 0)
			return fl_logs_verdict_of(equals + 1,
						  strlen(equals + 1));
	}
	return FL_LOGS_NO_VERDICT;
}

static enum fl_logs_got parse(struct fl_logs_work *w)
{
	struct fl_logs_text prefix;
	enum fl_logs_got got = fl_logs_netfilter(w, &prefix);

	if (got != FL_LOGS_RECORD)
		return got;
	if (!w->parser->job->format &&
	    fl_logs_starts(prefix.at, w->end, "[UFW "))
		return FL_LOGS_NOT_MINE;
	fl_logs_verdict(w, verdict_of(w->parser->job->prefixes, &prefix),
			false);
	return FL_LOGS_RECORD;
}

const struct fl_logs_format fl_logs_format_iptables = {
	.name = "iptables",
	.category = "[\"network\"]",
	.access = "connection",
	.parse = parse,
};
