/* div: whole division that rounds down or up, also below 0, where C rounds
 * towards 0.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_BASE_DIV_H
#define FL_BASE_DIV_H

#include <stdint.h>

/* by  above 0 */
static inline int64_t fl_div_floor(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

static inline int64_t fl_div_ceil(int64_t value, int64_t by)
{
	return value / by + (value % by > 0);
}

#endif
