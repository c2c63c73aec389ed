/* logs_ufw: lines that Ubuntu's firewall has the kernel write: [UFW BLOCK] and
 * its kin say the verdict.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/log/netfilter.h"
#include "source/log/parser.h"

static enum fl_logs_got parse(struct fl_logs_work *w)
{
	static const struct {
		const char *prefix;
		enum fl_logs_verdict verdict;
	} known[] = {
		{ "[UFW BLOCK]", FL_LOGS_DENY },
		{ "[UFW LIMIT BLOCK]", FL_LOGS_DENY },
		{ "[UFW ALLOW]", FL_LOGS_ALLOW },
		{ "[UFW AUDIT]", FL_LOGS_AUDIT },
		{ "[UFW AUDIT INVALID]", FL_LOGS_AUDIT },
	};
	struct fl_logs_text prefix;
	const char *ufw = w->at;

	while ((ufw = memchr(ufw, '[', (size_t)(w->end - ufw))) &&
	       !fl_logs_starts(ufw, w->end, "[UFW "))
		ufw++;
	if (!ufw || fl_logs_netfilter(w, &prefix) != FL_LOGS_RECORD ||
	    prefix.at != ufw)
		return FL_LOGS_NOT_MINE;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (fl_logs_is(prefix.at, prefix.len, known[i].prefix))
			fl_logs_verdict(w, known[i].verdict, false);
	if (prefix.len > 2 && prefix.at[prefix.len - 1] == ']')
		fl_logs_put(w, FL_LOGS_RULE_NAME, prefix.at + 1,
			    prefix.len - 2);
	return FL_LOGS_RECORD;
}

const struct fl_logs_format fl_logs_format_ufw = {
	.name = "ufw",
	.category = "[\"network\"]",
	.access = "connection",
	.parse = parse,
};
