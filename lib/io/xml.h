/* xml: small XML texts, read by expat.
 *
 * A document type, which is all that expanding entities without end needs, is
 * refused, and so is what is nested too deep.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_IO_XML_H
#define FL_IO_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct fl_xml;

/* Names are as they stand there, with what is before a colon; texts are UTF-8,
 * without a NUL, and may come in pieces. All live during the call. */
struct fl_xml_reader {
	unsigned depth;      /* elements in each other, at most */
	const char *doctype; /* what a document type is refused with */
	void (*start)(struct fl_xml *xml, void *arg, const char *name);
	void (*end)(struct fl_xml *xml, void *arg, const char *name);
	void (*text)(struct fl_xml *xml, void *arg, const char *text,
		     size_t len);
};

/* Was this built with expat? Else all reading fails. */
bool fl_xml_works(void);
/* Read it whole, or up to where it is refused.
 * errors  `code`: not well-formed, or refused; FL_ERR_USAGE no expat */
int fl_xml_read(const char *text, size_t len,
		const struct fl_xml_reader *reader, void *arg,
		enum fl_code code, struct fl_error *err);
/* For a callback: it is not to be read on; none is called any more. why: static
 */
void fl_xml_refuse(struct fl_xml *xml, const char *why);
/* How many elements are open: the one that has begun or ends is one. */
unsigned fl_xml_depth(const struct fl_xml *xml);

#endif
