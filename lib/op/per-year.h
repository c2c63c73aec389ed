/* per-year: how many bars a year of trade has, for what is said by the year.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_OP_PER_YEAR_H
#define FL_OP_PER_YEAR_H

#include "base/time.h"

/* Of a US share: 252 days of six and a half hours, 52 weeks, 12 months. What
 * trades otherwise needs to be told: 365 days for coins. */
static inline double fl_per_year(const struct fl_interval *interval)
{
	const double day_ns = 6.5 * (double)FL_HOUR;

	if (interval->months)
		return 12.0 / interval->months;
	if (!interval->dated)
		return 252 * day_ns / (double)interval->ns;
	return interval->ns > FL_DAY ? 52 : 252;
}

#endif
