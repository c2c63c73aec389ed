/* shape: what the hot path wants to know of a type, worked out once.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_REC_SHAPE_H
#define FL_REC_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rec/type.h"

struct fl_shape {
	uint32_t count; /* of fields */
	uint8_t path_len[FL_FIELDS_MAX];
	uint64_t seed[FL_FIELDS_MAX]; /* hash of the path */
	bool dotted[FL_FIELDS_MAX];   /* the path reaches into an object */
	uint8_t required[FL_FIELDS_MAX];
	uint8_t required_count;
	uint8_t series[FL_KEY_MAX];
	uint8_t series_count;
	uint8_t others[FL_FIELDS_MAX]; /* but for type, series, ts_recv and
					* what lies inside objects */
	uint8_t other_count;
	int ts, ts_recv, seq; /* fields; -1: has none */
	size_t name_len;
};

const struct fl_shape *fl_type_shape(const struct fl_type *type);

/* The field of a member of the record itself: a key that holds a dot is no
 * path, and so no field. -1: none */
int fl_type_member(const struct fl_type *type, const char *key, size_t len);

#endif
