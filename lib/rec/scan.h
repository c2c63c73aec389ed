/* scan: the usual line, parsed and checked in one go by the field table.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_REC_SCAN_H
#define FL_REC_SCAN_H

#include <stdbool.h>

#include "rec/record.h"

/* One flat object of known fields, `type` first, nothing twice, plain ASCII
 * without escapes, each value good and in canonical spelling, no white space
 * but single blanks. Fills what fl_record_check fills, but for the rules across
 * fields; tokens point into rec->bytes.
 * returns false for everything else, good or bad: ask the parser */
bool fl_record_scan(struct fl_record *rec, struct fl_json *json);

#endif
