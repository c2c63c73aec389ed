/* xml: see xml.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "io/xml.h"

#ifdef FL_WITHOUT_EXPAT

bool fl_xml_works(void)
{
	return false;
}

int fl_xml_read(const char *text, size_t len,
		const struct fl_xml_reader *reader, void *arg,
		enum fl_code code, struct fl_error *err)
{
	(void)text;
	(void)len;
	(void)reader;
	(void)arg;
	(void)code;
	return fl_error_set(err, FL_ERR_USAGE,
			    "this build has no expat, which reads XML");
}

void fl_xml_refuse(struct fl_xml *xml, const char *why)
{
	(void)xml;
	(void)why;
}

unsigned fl_xml_depth(const struct fl_xml *xml)
{
	(void)xml;
	return 0;
}

#else

#include <expat.h>
#include <limits.h>

struct fl_xml {
	XML_Parser parser;
	const struct fl_xml_reader *reader;
	void *arg;
	unsigned depth;
	const char *refused; /* why; NULL */
};

bool fl_xml_works(void)
{
	return true;
}

void fl_xml_refuse(struct fl_xml *xml, const char *why)
{
	if (!xml->refused)
		xml->refused = why;
	XML_StopParser(xml->parser, XML_FALSE);
}

unsigned fl_xml_depth(const struct fl_xml *xml)
{
	return xml->depth;
}

static void XMLCALL take_doctype(void *arg, const XML_Char *name,
				 const XML_Char *system, const XML_Char *public,
				 int subset)
{
	struct fl_xml *xml = arg;

	(void)name;
	(void)system;
	(void)public;
	(void)subset;
	fl_xml_refuse(xml, xml->reader->doctype);
}

static void XMLCALL take_start(void *arg, const XML_Char *name,
			       const XML_Char **attributes)
{
	struct fl_xml *xml = arg;

	(void)attributes;
	if (++xml->depth > xml->reader->depth)
		fl_xml_refuse(xml, "it is nested too deep");
	else
		xml->reader->start(xml, xml->arg, name);
}

/* The parser may have been stopped within an empty element, of which the end
 * comes all the same. */
static void XMLCALL take_end(void *arg, const XML_Char *name)
{
	struct fl_xml *xml = arg;

	if (xml->refused)
		return;
	xml->reader->end(xml, xml->arg, name);
	xml->depth--;
}

static void XMLCALL take_text(void *arg, const XML_Char *text, int len)
{
	struct fl_xml *xml = arg;

	if (!xml->refused)
		xml->reader->text(xml, xml->arg, text, (size_t)len);
}

int fl_xml_read(const char *text, size_t len,
		const struct fl_xml_reader *reader, void *arg,
		enum fl_code code, struct fl_error *err)
{
	struct fl_xml xml = { .reader = reader, .arg = arg };
	int result = 0;

	if (len > INT_MAX)
		return fl_error_set(err, code, "it is too long");
	xml.parser = XML_ParserCreate(NULL);
	if (!xml.parser)
		return fl_error_set(err, FL_ERR_AGAIN, "expat cannot start");
	XML_SetUserData(xml.parser, &xml);
	XML_SetElementHandler(xml.parser, take_start, take_end);
	XML_SetCharacterDataHandler(xml.parser, take_text);
	XML_SetStartDoctypeDeclHandler(xml.parser, take_doctype);
	if (XML_Parse(xml.parser, text, (int)len, XML_TRUE) != XML_STATUS_OK)
		result = fl_error_set(
			err, code, "line %lu: %s",
			(unsigned long)XML_GetCurrentLineNumber(xml.parser),
			xml.refused ? xml.refused
				    : XML_ErrorString(
					      XML_GetErrorCode(xml.parser)));
	XML_ParserFree(xml.parser);
	return result;
}

#endif
