/* record: one line of the stream, parsed and checked.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_IO_RECORD_H
#define FL_IO_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/json.h"

struct fl_type; /* rec/type.h */

#define FL_FIELDS_MAX 72 /* fields of the longest type */

struct fl_record {
	const char *bytes; /* the line without its newline; not NUL-ended */
	size_t len;
	uint64_t line;     /* counts this input from 1 */
	const char *input; /* path, or "-" */

	/* Filled by fl_record_check (rec/record.h): */
	const struct fl_json *json;
	const struct fl_type *type;
	uint32_t at[FL_FIELDS_MAX]; /* token of the i-th field of type->fields;
				     * 0: absent (or null) */
	int64_t ts_ns;
	unsigned fixes; /* enum fl_fix: what normalising must change */
	bool plain;     /* every value is known to be in canonical spelling */
};

#endif
