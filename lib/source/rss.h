/* rss: feeds of news, RSS 2.0 and its elder forms.
 *
 * Whatever is long is refused, and what io/xml.h refuses.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_RSS_H
#define FL_SOURCE_RSS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* One item; texts are UTF-8 as they stand in the feed, "" where there is none,
 * and borrowed for the call. */
struct fl_rss_item {
	const char *id; /* guid */
	const char *title, *url, *summary, *publisher;
	int64_t ts_ns; /* pubDate; FL_TIME_NONE: none that can be read */
};

/* Read a feed of at most a few MiB and hand each item over.
 * returns 0; -1 with err: FL_ERR_DATA no XML, no feed, or refused */
int fl_rss_read(const char *text, size_t len,
		void (*each)(void *arg, const struct fl_rss_item *item),
		void *arg, struct fl_error *err);
/* A date as RFC 822 has it and RFC 2822 mends it: "Fri, 02 Jan 2026 16:00:00
 * GMT", the day of the week and the seconds left out or not, a year of two
 * digits, an offset or one of the zones' old names. FL_TIME_NONE: it is none.
 */
int64_t fl_rss_time(const char *text);

#endif
