/* What of Alpha Vantage needs no answer: symbols, values and fractions. */
#include <stdlib.h>
#include <string.h>

#include "source/av/av.h"
#include "tap.h"

static void test_symbols(void)
{
	static const struct {
		const char *name, *code, *against, *mic;
		enum fl_av_market market;
		bool home;
	} symbols[] = {
		{ "AAPL", "AAPL", "", NULL, FL_AV_EQUITY, true },
		{ "BRK-B", "BRK-B", "", NULL, FL_AV_EQUITY, true },
		{ "TSCO.L", "TSCO.LON", "", "XLON", FL_AV_EQUITY, false },
		{ "SHOP.TO", "SHOP.TRT", "", "XTSE", FL_AV_EQUITY, false },
		{ "X.V", "X.TRV", "", "XTSX", FL_AV_EQUITY, false },
		{ "SAP.DE", "SAP.DEX", "", "XETR", FL_AV_EQUITY, false },
		{ "RELIANCE.BO", "RELIANCE.BSE", "", "XBOM", FL_AV_EQUITY,
		  false },
		{ "600104.SS", "600104.SHH", "", "XSHG", FL_AV_EQUITY, false },
		{ "000002.SZ", "000002.SHZ", "", "XSHE", FL_AV_EQUITY, false },
		{ "X.PA", "X.PA", "", NULL, FL_AV_EQUITY, false },
		{ "^GSPC", "^GSPC", "", NULL, FL_AV_EQUITY, true },
		{ "EURUSD=X", "EUR", "USD", NULL, FL_AV_FX, false },
		{ "BTC-USD", "BTC", "USD", NULL, FL_AV_CRYPTO, false },
		{ ".L", ".L", "", NULL, FL_AV_EQUITY, false },
		{ "-USD", "-USD", "", NULL, FL_AV_EQUITY, true },
	};

	for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++) {
		struct fl_av_symbol symbol;
		char name[80];

		fl_av_symbol(symbols[i].name, &symbol);
		ok(symbol.market == symbols[i].market &&
			   symbol.home == symbols[i].home,
		   "%s: its kind", symbols[i].name);
		is_str(symbol.code, symbols[i].code, "%s", symbols[i].name);
		is_str(symbol.against, symbols[i].against, "%s against what",
		       symbols[i].name);
		is_str(symbol.mic ? symbol.mic : "",
		       symbols[i].mic ? symbols[i].mic : "", "%s traded where",
		       symbols[i].name);
		if (symbol.market != FL_AV_EQUITY)
			continue;
		fl_av_yahoo(symbol.code, strlen(symbol.code), name,
			    sizeof(name));
		is_str(name, symbols[i].name, "%s and back", symbol.code);
	}
}

static void test_yahoo(void)
{
	char name[80];

	fl_av_yahoo("CRYPTO:BTC", 10, name, sizeof(name));
	is_str(name, "BTC-USD", "a coin in news");
	fl_av_yahoo("FOREX:EUR", 9, name, sizeof(name));
	is_str(name, "FOREX:EUR", "a currency in news has no symbol");
	fl_av_yahoo("tsco.lon", 8, name, sizeof(name));
	is_str(name, "TSCO.LON", "what is in lower case is not known");
}

static void test_values(void)
{
	static const char *const absent[] = { "",     "None", "-",  ".",
					      "null", " ",    "n/a" };
	struct fl_decimal number;
	bool rounded = false;
	int64_t ns;

	for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++)
		ok(!fl_av_value(absent[i], strlen(absent[i])).text,
		   "'%s' is absent", absent[i]);
	ok(fl_av_number(fl_av_value("101.2500", 8), &number, &rounded) &&
		   number.mant == 10125 && number.scale == 2 && !rounded,
	   "a number's own digits");
	ok(!fl_av_number(fl_av_value("1,000", 5), &number, &rounded),
	   "no number");
	ok(fl_av_is("4a. close", 9, "close") &&
		   fl_av_is("08. previous close", 18, "previous close") &&
		   fl_av_is("5: Symbol", 9, "symbol") &&
		   fl_av_is("ex_dividend_date", 16, "ex dividend date") &&
		   !fl_av_is("52WeekHigh", 10, "weekhigh") &&
		   !fl_av_is("4. closed", 9, "close"),
	   "names behind numbers");
	ok(fl_av_time(fl_av_value("2026-01-02 16:00:00", 19), NULL, &ns) &&
		   ns == INT64_C(1767369600) * FL_SECOND,
	   "a time");
	ok(fl_av_time(fl_av_value("2026-01-02 16:00", 16), NULL, &ns) &&
		   ns == INT64_C(1767369600) * FL_SECOND,
	   "a time without seconds");
	ok(!fl_av_time(fl_av_value("2026-01-02 24:00", 16), NULL, &ns) &&
		   !fl_av_time(fl_av_value("2026-01-02", 10), NULL, &ns) &&
		   !fl_av_time(fl_av_value("2026-01-02T16:00", 16), NULL, &ns),
	   "no times");
	is_str(fl_zone_name(fl_av_zone(fl_av_value("US/Eastern", 10))),
	       "America/New_York", "a zone");
	is_str(fl_zone_name(fl_av_zone(fl_av_value("GMT+0", 5))), "UTC",
	       "an old one");
	is_str(fl_zone_name(fl_av_zone(fl_av_value("GMT+8", 5))), "Etc/GMT-8",
	       "a count of hours");
	ok(!fl_av_zone(fl_av_value("Nowhere/Here", 12)), "no zone");
}

static void test_splits(void)
{
	static const struct {
		const char *ratio;
		int64_t over, under; /* 0: it is none; -1: none on that day */
	} splits[] = {
		{ "4.0000", 4, 1 },      { "1.5000", 3, 2 },
		{ "0.3333", 1, 3 },      { "0.3000", 3, 10 },
		{ "0.0333", 1, 30 },     { "0.1", 1, 10 },
		{ "0.05", 1, 20 },       { "1.0000", -1, 0 },
		{ "1", -1, 0 },          { "0.0", -1, 0 },
		{ "-2", 0, 0 },          { "two", 0, 0 },
		{ "20", 20, 1 },         { "1.1000", 11, 10 },
		{ "1.0471", 89, 85 },    { "1e30", 0, 0 },
		{ "0.000000001", 0, 0 },
	};

	for (size_t i = 0; i < sizeof(splits) / sizeof(*splits); i++) {
		struct fl_av_job job = { .event_count = 0 };
		bool taken = fl_av_add_split(
			&job, 1,
			fl_av_value(splits[i].ratio, strlen(splits[i].ratio)));

		ok(taken == (splits[i].over != 0), "%s is a ratio or none",
		   splits[i].ratio);
		ok((splits[i].over <= 0 && !job.event_count) ||
			   (job.event_count == 1 &&
			    fl_decimal_cmp(
				    job.events->over,
				    fl_decimal_from_i64(splits[i].over)) == 0 &&
			    fl_decimal_cmp(
				    job.events->under,
				    fl_decimal_from_i64(splits[i].under)) == 0),
		   "%s is %lld for %lld", splits[i].ratio,
		   (long long)splits[i].over, (long long)splits[i].under);
		free(job.events);
	}
}

int main(void)
{
	test_symbols();
	test_yahoo();
	test_values();
	test_splits();
	return done_testing();
}
