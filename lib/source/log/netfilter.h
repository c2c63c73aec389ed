/* logs_netfilter: what iptables, nftables and ufw have the kernel write.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_LOG_NETFILTER_H
#define FL_SOURCE_LOG_NETFILTER_H

#include "source/log/work.h"

/* Take the line apart, all but the verdict: that is in the prefix, which is
 * given without blanks and a colon at its end.
 * returns NOT_MINE, RECORD */
enum fl_logs_got fl_logs_netfilter(struct fl_logs_work *w,
				   struct fl_logs_text *prefix);

#endif
