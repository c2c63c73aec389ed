/* json_scan: the usual line, scanned without a general parser.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_IO_JSON_SCAN_H
#define FL_IO_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "io/json.h"

/* One flat object of strings, numbers, literals: plain ASCII, no escapes, no
 * key twice, no white space but single blanks. Tokens point into `text`.
 * returns false for everything else, right or wrong: ask the parser */
bool fl_json_scan(struct fl_json *json, const char *text, size_t len);

/* The parser, for everything; fl_json_parse asks the scan first. */
enum fl_reason fl_json_parse_fully(struct fl_json *json, const char *text,
				   size_t len, struct fl_note *note);

#endif
