/* s3-xml: see s3-xml.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/s3-xml.h"

#include <string.h>

#include "base/buf.h"
#include "io/xml.h"

enum {
	DEPTH_MAX = 16,
	NAME_SIZE = 64,
	TEXT_MAX = 64 * 1024, /* of one element */
	ANSWER_MAX = 64 << 20,
};

struct reader {
	int (*each)(void *arg, const char *within, const char *name,
		    const char *value, struct fl_error *err);
	void *arg;
	struct fl_error *err;
	bool ended; /* by the callback, which has said why */
	char names[DEPTH_MAX][NAME_SIZE];
	struct fl_buf texts[DEPTH_MAX];
};

static void take_start(struct fl_xml *xml, void *arg, const char *name)
{
	const char *colon = strrchr(name, ':');
	unsigned at = fl_xml_depth(xml) - 1;
	struct reader *r = arg;
	size_t len;

	name = colon ? colon + 1 : name;
	len = strlen(name);
	if (len >= NAME_SIZE) {
		fl_xml_refuse(xml, "it has too long a name");
		return;
	}
	memcpy(r->names[at], name, len + 1);
	fl_buf_reset(&r->texts[at]);
}

static void take_end(struct fl_xml *xml, void *arg, const char *name)
{
	unsigned at = fl_xml_depth(xml) - 1;
	struct reader *r = arg;

	(void)name;
	if (r->each(r->arg, at ? r->names[at - 1] : "", r->names[at],
		    fl_buf_text(&r->texts[at]), r->err) < 0) {
		r->ended = true;
		fl_xml_refuse(xml, "it was enough");
	}
}

static void take_text(struct fl_xml *xml, void *arg, const char *text,
		      size_t len)
{
	unsigned depth = fl_xml_depth(xml);
	struct reader *r = arg;

	if (depth == 0)
		return;
	fl_buf_append(&r->texts[depth - 1], text, len);
	if (r->texts[depth - 1].over)
		fl_xml_refuse(xml, "an element of it is too long");
}

int fl_s3_xml_read(const char *text, size_t len,
		   int (*each)(void *arg, const char *within, const char *name,
			       const char *value, struct fl_error *err),
		   void *arg, struct fl_error *err)
{
	static const struct fl_xml_reader reader = {
		.depth = DEPTH_MAX,
		.doctype = "it has a document type",
		.start = take_start,
		.end = take_end,
		.text = take_text,
	};
	struct reader r = { .each = each, .arg = arg, .err = err };
	struct fl_error why = { .code = FL_OK };
	int result;

	if (len > ANSWER_MAX)
		return fl_error_set(err, FL_ERR_AGAIN, "it is too long");
	for (int i = 0; i < DEPTH_MAX; i++)
		r.texts[i].max = TEXT_MAX;
	result = fl_xml_read(text, len, &reader, &r, FL_ERR_AGAIN, &why);
	if (result < 0 && !r.ended)
		*err = why;
	for (int i = 0; i < DEPTH_MAX; i++)
		fl_buf_release(&r.texts[i]);
	return result;
}
