/* logs_options: what the sources `log` and `syslog` take alike.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_LOG_OPTIONS_H
#define FL_SOURCE_LOG_OPTIONS_H

#include "base/option.h"

#define FL_LOGS_FORMATS                                                        \
	"auto ufw iptables cisco_asa panos pfsense vpc_flow aws_waf cef leef " \
	"combined clf w3c syslog"

#define FL_LOGS_OPT_FORMAT(where)                                              \
	{                                                                      \
		.kind = FL_OPTION_TEXT, .name = "format", .arg = "NAME",       \
		.target = (where), .words = FL_LOGS_FORMATS,                   \
		.help = "of the lines, behind a syslog header if there is "    \
			"one: " FL_LOGS_FORMATS " [auto: by their "            \
			"beginning]"                                           \
	}
#define FL_LOGS_OPT_PREFIX(where)                                              \
	{                                                                      \
		.kind = FL_OPTION_LIST, .name = "prefix-action",               \
		.arg = "PREFIX=ACTION,...", .target = (where),                 \
		.help = "what a prefix of iptables means, whose lines have "   \
			"no verdict: 'DROP=drop,IN-OK=allow'"                  \
	}

#endif
