/* csv_digits: the usual number, looked at in one go.
 *
 * Digits with at most one point among them, sixteen bytes at most: such a cell
 * reads the same in all ways of writing numbers but one, that in which commas
 * are points (FL_CSV_COMMA). Anything else is csv_number's.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_CSV_DIGITS_H
#define FL_SOURCE_CSV_DIGITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lanes.h"
#include "io/csv.h"

struct fl_csv_digits {
	unsigned len;   /* bytes of the cell */
	unsigned point; /* its place; len: there is none */
	unsigned keep;  /* bytes that are left without zeros at the end of a
			 * fraction, and without a point that nothing follows */
};

/* Are all bytes of the cell digits, but for one point perhaps? FL_CSV_PAST
 * bytes behind it can be read. */
static inline bool fl_csv_digits_look(const struct fl_csv_cell *cell,
				      struct fl_csv_digits *d)
{
	unsigned all, points, digits, left;
	struct fl_lanes bytes;

	if (cell->len - 1 >= FL_LANES)
		return false;
	bytes = fl_lanes_load(cell->text);
	all = (2U << (cell->len - 1)) - 1;
	points = fl_lanes_equal(bytes, '.') & all;
	digits = fl_lanes_within(bytes, '0', '9') & all;
	if ((digits | points) != all || points & (points - 1) || !digits)
		return false;
	d->len = (unsigned)cell->len;
	d->keep = d->len;
	d->point = (unsigned)__builtin_ctz(points | (all + 1));
	if (points) {
		/* The last byte that is neither a zero nor the point, but at
		 * least what stands before that. */
		left = all & ~fl_lanes_equal(bytes, '0') & ~points;
		left |= points >> 1;
		d->keep = left ? 32 - (unsigned)__builtin_clz(left) : 0;
	}
	return true;
}

/* Could the point part thousands: 1.234? */
static inline bool fl_csv_digits_grouped(const struct fl_csv_digits *d)
{
	return d->len - d->point == 4 && d->point >= 1 && d->point <= 3;
}

#endif
