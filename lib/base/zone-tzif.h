/* zone-tzif: the bytes of a TZif file as a table of changes.
 *
 * Apart from zone.h so that tests can feed it any bytes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_BASE_ZONE_TZIF_H
#define FL_BASE_ZONE_TZIF_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Seconds east of UTC that RFC 8536 lets an offset have. */
#define FL_ZONE_OFFSET_MIN (-25 * 3600 + 1)
#define FL_ZONE_OFFSET_MAX (26 * 3600 - 1)

/* offsets[i] holds from at[i] (seconds since 1970 UTC) up to at[i + 1], the
 * last one on and on; at[0] is INT64_MIN, so there is always one. The instants
 * ascend, and neighbours differ. The footer's rule is written out to the last
 * year of time.h. */
struct fl_zone_table {
	int64_t *at;
	int32_t *offsets;
	size_t count, cap;
};

/* errors  FL_ERR_DATA  not TZif, cut short, or one that counts leap seconds;
 *         the table is empty then
 * source  RFC 8536, versions 1 to 4; POSIX.1-2017, XBD 8.3 "TZ" */
int fl_zone_table_read(struct fl_zone_table *table, const void *bytes,
		       size_t len, struct fl_error *err);
void fl_zone_table_release(struct fl_zone_table *table);

#endif
