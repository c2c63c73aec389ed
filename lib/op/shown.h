/* shown: a figure as a table shows it: for people, to whom 18 digits are noise.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_OP_SHOWN_H
#define FL_OP_SHOWN_H

#include <math.h>

/* Rounded to six decimals. */
static inline double fl_shown(double value)
{
	return fabs(value) < 1e9 ? rint(value * 1e6) / 1e6 : value;
}

#endif
