// simdjson_loop: what a program written for one task around the quickest parser
// does: each line parsed by simdjson's DOM, checked as a tick, and passed on as it
// is. No reasons, no other types, no threads.
//
// usage: simdjson_loop FILE
//
// SPDX-License-Identifier: Apache-2.0
#include <simdjson.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

using namespace simdjson;

// 2026-11-20T14:30:00.005Z
static bool is_time(std::string_view text)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";

	if (text.size() < 20 || text.back() != 'Z')
		return false;
	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	return true;
}

static bool is_tick(const dom::element &doc)
{
	dom::object object;
	std::string_view type, symbol, provider, ts;
	double price, size;

	if (doc.get_object().get(object) || object["type"].get_string().get(type) || type != "quote" ||
	    object["symbol"].get_string().get(symbol) || symbol.empty() ||
	    object["provider"].get_string().get(provider) || provider.empty() ||
	    object["ts"].get_string().get(ts) || !is_time(ts) || object["price"].get_double().get(price) || price <= 0)
		return false;
	auto found = object["size"].get_double().get(size);
	return found == NO_SUCH_FIELD || (!found && size >= 0);
}

int main(int argc, char **argv)
{
	padded_string text;
	dom::parser parser;
	std::string out;

	if (argc != 2 || padded_string::load(argv[1]).get(text)) {
		std::fprintf(stderr, "usage: simdjson_loop FILE\n");
		return 2;
	}
	out.reserve(1 << 20);
	for (const char *at = text.data(), *end = at + text.size(); at < end;) {
		const char *lf = static_cast<const char *>(std::memchr(at, '\n', end - at));
		size_t len = (lf ? lf : end) - at;
		dom::element doc;

		// What follows the line is memory of ours, so nothing is copied.
		if (!parser.parse(at, len, false).get(doc) && is_tick(doc)) {
			out.append(at, len).push_back('\n');
			if (out.size() > (1 << 20) - 4096) {
				std::fwrite(out.data(), 1, out.size(), stdout);
				out.clear();
			}
		}
		at += len + 1;
	}
	std::fwrite(out.data(), 1, out.size(), stdout);
	return 0;
}
