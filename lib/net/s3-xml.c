/* s3-xml: see s3-xml.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/s3-xml.h"

#include <string.h>

#include "base/buf.h"

#ifdef FL_WITHOUT_EXPAT

bool fl_s3_xml_works(void)
{
	return false;
}

int fl_s3_xml_read(const char *text, size_t len,
		   int (*each)(void *arg, const char *within, const char *name,
			       const char *value, struct fl_error *err),
		   void *arg, struct fl_error *err)
{
	(void)text;
	(void)len;
	(void)each;
	(void)arg;
	return fl_error_set(err, FL_ERR_USAGE,
			    "this build has no expat, and so no S3");
}

#else

#include <expat.h>

enum {
	DEPTH_MAX = 16,
	NAME_SIZE = 64,
	TEXT_MAX = 64 * 1024, /* of one element */
	ANSWER_MAX = 64 << 20,
};

struct reader {
	XML_Parser parser;
	int (*each)(void *arg, const char *within, const char *name,
		    const char *value, struct fl_error *err);
	void *arg;
	struct fl_error *err;
	unsigned depth;
	char names[DEPTH_MAX][NAME_SIZE];
	struct fl_buf texts[DEPTH_MAX];
	const char *refused; /* why; NULL */
	bool ended;          /* by the callback */
};

bool fl_s3_xml_works(void)
{
	return true;
}

static void refuse(struct reader *r, const char *why)
{
	if (!r->refused)
		r->refused = why;
	XML_StopParser(r->parser, XML_FALSE);
}

static void XMLCALL take_doctype(void *arg, const XML_Char *name,
				 const XML_Char *system, const XML_Char *public,
				 int subset)
{
	(void)name;
	(void)system;
	(void)public;
	(void)subset;
	refuse(arg, "it has a document type");
}

static void XMLCALL take_start(void *arg, const XML_Char *name,
			       const XML_Char **attributes)
{
	const char *colon = strrchr(name, ':');
	struct reader *r = arg;
	size_t len;

	(void)attributes;
	name = colon ? colon + 1 : name;
	len = strlen(name);
	if (r->depth == DEPTH_MAX || len >= NAME_SIZE) {
		refuse(r, "it is nested too deep, or has too long a name");
		return;
	}
	memcpy(r->names[r->depth], name, len + 1);
	fl_buf_reset(&r->texts[r->depth]);
	r->depth++;
}

static void XMLCALL take_end(void *arg, const XML_Char *name)
{
	struct reader *r = arg;

	(void)name;
	/* The parser may have been stopped within an empty element, of which
	 * the end comes all the same. */
	if (r->refused || r->ended)
		return;
	r->depth--;
	if (r->each(r->arg, r->depth ? r->names[r->depth - 1] : "",
		    r->names[r->depth], fl_buf_text(&r->texts[r->depth]),
		    r->err) < 0) {
		r->ended = true;
		XML_StopParser(r->parser, XML_FALSE);
	}
}

static void XMLCALL take_text(void *arg, const XML_Char *text, int len)
{
	struct reader *r = arg;
	struct fl_buf *to;

	if (r->refused || r->ended || r->depth == 0)
		return;
	to = &r->texts[r->depth - 1];
	fl_buf_append(to, text, (size_t)len);
	if (to->over)
		refuse(r, "an element of it is too long");
}

int fl_s3_xml_read(const char *text, size_t len,
		   int (*each)(void *arg, const char *within, const char *name,
			       const char *value, struct fl_error *err),
		   void *arg, struct fl_error *err)
{
	struct reader r = { .each = each, .arg = arg, .err = err };
	int result = 0;

	if (len > ANSWER_MAX)
		return fl_error_set(err, FL_ERR_AGAIN, "it is too long");
	r.parser = XML_ParserCreate(NULL);
	if (!r.parser)
		return fl_error_set(err, FL_ERR_AGAIN, "expat cannot start");
	for (int i = 0; i < DEPTH_MAX; i++)
		r.texts[i].max = TEXT_MAX;
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, take_start, take_end);
	XML_SetCharacterDataHandler(r.parser, take_text);
	XML_SetStartDoctypeDeclHandler(r.parser, take_doctype);
	if (XML_Parse(r.parser, text, (int)len, XML_TRUE) != XML_STATUS_OK)
		result = -1;
	if (result < 0 && !r.ended)
		fl_error_set(err, FL_ERR_AGAIN, "line %lu: %s",
			     (unsigned long)XML_GetCurrentLineNumber(r.parser),
			     r.refused ? r.refused
				       : XML_ErrorString(
						 XML_GetErrorCode(r.parser)));
	XML_ParserFree(r.parser);
	for (int i = 0; i < DEPTH_MAX; i++)
		fl_buf_release(&r.texts[i]);
	return result;
}

#endif
