/* number: prices as Yahoo sends them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_YAHOO_NUMBER_H
#define FL_SOURCE_YAHOO_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/decimal.h"

/* Read a JSON number that may be a 32-bit float widened to double:
 * 1286.5699462890625 is the shortest decimal that reads as the same float,
 * 1286.57. All other numbers are what they say, in at most 17 digits the
 * shortest that reads as the same double.
 *
 * rounded  set when it had to be cut to 18 digits
 * returns  false: no number, or out of range */
bool fl_yahoo_number(const char *text, size_t len, struct fl_decimal *out,
		     bool *rounded);

/* The same for what is no price: all numbers are what they say. */
bool fl_yahoo_exact(const char *text, size_t len, struct fl_decimal *out,
		    bool *rounded);

#endif
