/* gen_ticks: a deterministic generator of financial test data.
 *
 *   gen_ticks [-n rows] [-k symbols] [-b bad-rate] [-d dup-rate]
 *             [-q quoted-rate] [-j disorder-ms] [-s seed] [-g] [-B file] [-v]
 *             quotes|daily > file
 *
 * quotes: NDJSON trade ticks over one trading day (14:30 to 21:00 UTC,
 *   2026-11-20), symbols drawn from a Zipf(1) distribution, prices a random
 *   walk per symbol, time moving forward with a jitter of up to disorder-ms
 *   backwards; dup-rate of the lines are exact copies of one of the last 64
 *   good lines, bad-rate of them are broken in one of ten ways (see bad_line).
 * daily: CSV with the header Date,Symbol,Open,High,Low,Close,Adj Close,Volume,
 *   trading days outer, symbols inner; quoted-rate of the rows have quotes.
 * -g leaves the broken lines out: what fl-clean --dedup 0 must pass.
 * -B writes of each broken line to a file: its number, a tab, the reason why
 *   fl-clean must refuse it, a tab, and the line.
 * -v writes to stderr how many lines of each kind were written.
 *
 * The same options give the same bytes on every machine with IEEE doubles: the
 * generator is xorshift64* seeded by -s, and no libm function decides a byte
 * except the Zipf table (rounded to 1e-9). */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t rng_state;

static uint64_t rng(void)
{
	uint64_t x = rng_state;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	rng_state = x;
	return x * UINT64_C(2685821657736338717);
}

static double unit(void)
{
	return (double)(rng() >> 11) / 9007199254740992.0;
}
static uint32_t below(uint32_t n)
{
	return (uint32_t)(((rng() >> 32) * (uint64_t)n) >> 32);
}

struct symbol {
	char name[12];
	const char *exchange, *currency;
	int64_t ticks; /* price in hundredths */
	int64_t close; /* daily: close in ten-thousandths */
	double adj;
};

static const char *const known[] = { "AAPL",     "MSFT",   "NVDA",    "AMZN",
				     "GOOGL",    "META",   "TSLA",    "AVGO",
				     "BRK-B",    "JPM",    "SAP.DE",  "ASML.AS",
				     "VOD.L",    "7203.T", "BTC-USD", "ETH-USD",
				     "EURUSD=X", "GC=F" };
static const char *const exch[] = { "NMS", "NYQ", "PCX", "BTS" };

static void make_symbols(struct symbol *s, uint32_t k)
{
	for (uint32_t i = 0; i < k; i++) {
		const uint32_t nknown = sizeof known / sizeof *known;
		s[i].exchange = exch[below(4)];
		s[i].currency = "USD";
		if (i < nknown) {
			snprintf(s[i].name, sizeof s[i].name, "%s", known[i]);
			if (!strcmp(known[i], "SAP.DE") ||
			    !strcmp(known[i], "ASML.AS"))
				s[i].currency = "EUR";
			if (!strcmp(known[i], "VOD.L"))
				s[i].currency = "GBP";
			if (!strcmp(known[i], "7203.T"))
				s[i].currency = "JPY";
		} else {
			/* a unique name: base 26, three or four letters */
			uint32_t v = i - nknown, n = 0;
			uint32_t len = 3 + (v % 3 != 0);
			char t[8];
			for (uint32_t w = v; n < len; w /= 26)
				t[n++] = (char)('A' + w % 26);
			t[n] = 0;
			snprintf(s[i].name, sizeof s[i].name, "%s", t);
		}
		s[i].ticks = 500 + below(60000);
		s[i].close = s[i].ticks * 100;
		s[i].adj = 0.80 + 0.2 * unit();
	}
}

static double *zipf(uint32_t k)
{
	double *cum = malloc(k * sizeof *cum), sum = 0;
	if (!cum)
		exit(2);
	for (uint32_t i = 0; i < k; i++)
		cum[i] = sum += 1.0 / (i + 1);
	for (uint32_t i = 0; i < k; i++)
		cum[i] = floor(cum[i] / sum * 1e9 + 0.5) / 1e9;
	cum[k - 1] = 1.0;
	return cum;
}

static uint32_t pick(const double *cum, uint32_t k)
{
	double u = unit();
	uint32_t lo = 0, hi = k - 1;
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;
		if (u < cum[mid])
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

static uint64_t count_bad, count_dup;
static int good_only;
static FILE *bad_file;

#define HEAD "{\"type\":\"quote\",\"provider\":\"yahoo\""
#define TAIL ",\"currency\":\"%s\",\"exchange\":\"%s\"}"

/* Ten ways a line goes wrong in practice. */
static int bad_line(char *o, size_t cap, const struct symbol *s, const char *ts,
		    const char *price, uint32_t vol, const char **reason)
{
	static const char *const reasons[10] = {
		"bad_json",      "bad_json",     "missing_field",
		"missing_field", "out_of_range", "out_of_range",
		"bad_type",      "bad_type",     "bad_number",
		"bad_json"
	};
	uint32_t kind = below(10);
	int n;

	*reason = reasons[kind];
	switch (kind) {
	case 0: /* truncated in the middle */
	case 1:
		n = snprintf(o, cap,
			     HEAD ",\"symbol\":\"%s\",\"ts\":\"%s\","
				  "\"price\":%s,\"size\":%u,",
			     s->name, ts, price, vol);
		return (int)(20 + below((uint32_t)n - 20));
	case 2: /* no symbol */
		return snprintf(o, cap,
				HEAD
				",\"ts\":\"%s\",\"price\":%s,\"size\":%u" TAIL,
				ts, price, vol, s->currency, s->exchange);
	case 3: /* symbol is null */
		return snprintf(o, cap,
				HEAD ",\"symbol\":null,\"ts\":\"%s\","
				     "\"price\":%s,\"size\":%u" TAIL,
				ts, price, vol, s->currency, s->exchange);
	case 4: /* negative price */
		return snprintf(o, cap,
				HEAD ",\"symbol\":\"%s\",\"ts\":\"%s\","
				     "\"price\":-%s,\"size\":%u" TAIL,
				s->name, ts, price, vol, s->currency,
				s->exchange);
	case 5: /* zero price */
		return snprintf(o, cap,
				HEAD ",\"symbol\":\"%s\",\"ts\":\"%s\","
				     "\"price\":0,\"size\":%u" TAIL,
				s->name, ts, vol, s->currency, s->exchange);
	case 6: /* numbers as strings */
	case 7:
		return snprintf(o, cap,
				HEAD ",\"symbol\":\"%s\",\"ts\":\"%s\","
				     "\"price\":\"%s\",\"size\":\"%u\"" TAIL,
				s->name, ts, price, vol, s->currency,
				s->exchange);
	case 8: /* NaN, which is not JSON */
		return snprintf(o, cap,
				HEAD ",\"symbol\":\"%s\",\"ts\":\"%s\","
				     "\"price\":NaN,\"size\":%u" TAIL,
				s->name, ts, vol, s->currency, s->exchange);
	default: /* missing closing brace and a doubled comma */
		return snprintf(o, cap,
				HEAD ",\"symbol\":\"%s\",\"ts\":\"%s\",,"
				     "\"price\":%s,\"size\":%u",
				s->name, ts, price, vol);
	}
}

static void print_price(char *o, size_t cap, int64_t ticks)
{
	long long whole = ticks / 100, cents = ticks % 100;

	if (cents == 0)
		snprintf(o, cap, "%lld", whole);
	else if (cents % 10 == 0)
		snprintf(o, cap, "%lld.%lld", whole, cents / 10);
	else
		snprintf(o, cap, "%lld.%02lld", whole, cents);
}

static void quotes(uint64_t n, uint32_t k, double bad, double dup,
		   uint32_t jitter)
{
	enum {
		KEEP = 64,
		CAP = 256
	};
	static char ring[KEEP][CAP];
	static int ringlen[KEEP];
	uint64_t kept = 0;
	struct symbol *s = calloc(k, sizeof *s);
	if (!s)
		exit(2);
	make_symbols(s, k);
	double *cum = zipf(k);
	const double day_ms = 6.5 * 3600 * 1000;
	for (uint64_t i = 0; i < n; i++) {
		double u = unit();
		if (u < dup && kept >= KEEP) {
			uint32_t r = below(KEEP);
			fwrite(ring[r], 1, (size_t)ringlen[r], stdout);
			count_dup++;
			continue;
		}
		struct symbol *y = &s[pick(cum, k)];
		y->ticks += (int64_t)below(21) - 10;
		if (y->ticks < 100)
			y->ticks = 100 + below(50);
		int64_t ms = (int64_t)((double)i / (double)n * day_ms);
		if (jitter)
			ms -= below(jitter);
		if (ms < 0)
			ms = 0;
		ms += (14 * 3600 + 30 * 60) * INT64_C(1000);
		char ts[32], price[32], line[CAP];
		snprintf(ts, sizeof ts, "2026-11-20T%02d:%02d:%02d.%03dZ",
			 (int)(ms / 3600000), (int)(ms / 60000 % 60),
			 (int)(ms / 1000 % 60), (int)(ms % 1000));
		print_price(price, sizeof price, y->ticks);
		uint32_t vol =
			below(4) ? 100 * (1 + below(9)) : 1 + below(5000);
		int len;
		if (u >= dup && u < dup + bad) {
			const char *reason;
			len = bad_line(line, sizeof line - 1, y, ts, price, vol,
				       &reason);
			line[len++] = '\n';
			count_bad++;
			if (bad_file)
				fprintf(bad_file, "%llu\t%s\t%.*s",
					(unsigned long long)i + 1, reason, len,
					line);
			if (good_only)
				continue;
		} else {
			len = snprintf(line, sizeof line,
				       HEAD ",\"symbol\":\"%s\",\"ts\":\"%s\","
					    "\"price\":%s,\"size\":%u" TAIL
					    "\n",
				       y->name, ts, price, vol, y->currency,
				       y->exchange);
			memcpy(ring[kept % KEEP], line, (size_t)len);
			ringlen[kept % KEEP] = len;
			kept++;
		}
		fwrite(line, 1, (size_t)len, stdout);
	}
	free(cum);
	free(s);
}

/* Civil date from days since 1970-01-01 (Howard Hinnant's algorithm). */
static void civil(int64_t z, int *y, int *m, int *d)
{
	z += 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;
	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = (int)(yoe + era * 400 + (*m <= 2));
}

static void print_fixed(const char *quote, int64_t v)
{
	printf("%s%lld.%04lld%s,", quote, (long long)(v / 10000),
	       (long long)(v % 10000), quote);
}

static void daily(uint64_t n, uint32_t k, double quoted)
{
	struct symbol *s = calloc(k, sizeof *s);
	if (!s)
		exit(2);
	make_symbols(s, k);
	uint64_t days = (n + k - 1) / k;
	int64_t z = 20776; /* 2026-11-19, then back by the trading days */
	for (uint64_t i = 0; i < days; i++)
		do
			z--;
		while ((z + 4) % 7 == 0 || (z + 4) % 7 == 6);
	puts("Date,Symbol,Open,High,Low,Close,Adj Close,Volume");
	for (uint64_t i = 0; i < n; z++) {
		int wd = (int)(((z + 4) % 7 + 7) % 7);
		if (wd == 0 || wd == 6)
			continue;
		int Y, M, D;
		civil(z, &Y, &M, &D);
		for (uint32_t j = 0; j < k && i < n; j++, i++) {
			struct symbol *y = &s[j];
			int64_t open = y->close + (int64_t)below(4001) - 2000;
			if (open < 10000)
				open = 10000;
			int64_t close = open + (int64_t)below(20001) - 10000;
			if (close < 10000)
				close = 10000;
			int64_t high =
				(open > close ? open : close) + below(5000);
			int64_t low =
				(open < close ? open : close) - below(5000);
			if (low < 5000)
				low = 5000;
			y->close = close;
			double adj = (double)close / 10000.0 * y->adj;
			uint32_t vol = 10000 + below(90000000);
			const char *q = unit() < quoted ? "\"" : "";
			printf("%s%04d-%02d-%02d%s,%s%s%s,", q, Y, M, D, q, q,
			       y->name, q);
			print_fixed(q, open);
			print_fixed("", high);
			print_fixed("", low);
			print_fixed("", close);
			printf("%.6f,%s%u%s\n", adj, q, vol, q);
		}
	}
	free(s);
}

int main(int argc, char **argv)
{
	uint64_t n = 5000000, seed = 20261120;
	uint32_t k = 500, jitter = 40;
	double bad = 0.005, dup = 0.01, quoted = 0.01;
	int c, verbose = 0;
	while ((c = getopt(argc, argv, "n:k:b:d:q:j:s:gB:v")) != -1)
		switch (c) {
		case 'n':
			n = strtoull(optarg, NULL, 10);
			break;
		case 'k':
			k = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'b':
			bad = strtod(optarg, NULL);
			break;
		case 'd':
			dup = strtod(optarg, NULL);
			break;
		case 'q':
			quoted = strtod(optarg, NULL);
			break;
		case 'j':
			jitter = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 's':
			seed = strtoull(optarg, NULL, 10);
			break;
		case 'g':
			good_only = 1;
			break;
		case 'B':
			bad_file = fopen(optarg, "w");
			if (!bad_file) {
				perror("gen_ticks: open");
				return 1;
			}
			break;
		case 'v':
			verbose = 1;
			break;
		default:
			goto usage;
		}
	if (optind + 1 != argc || k == 0 || k > 17576)
		goto usage;
	rng_state = seed * UINT64_C(0x9E3779B97F4A7C15) | 1;
	static char buf[1 << 20];
	setvbuf(stdout, buf, _IOFBF, sizeof buf);
	if (!strcmp(argv[optind], "quotes"))
		quotes(n, k, bad, dup, jitter);
	else if (!strcmp(argv[optind], "daily"))
		daily(n, k, quoted);
	else
		goto usage;
	if (verbose)
		fprintf(stderr, "rows %llu bad %llu duplicates %llu\n",
			(unsigned long long)n, (unsigned long long)count_bad,
			(unsigned long long)count_dup);
	if (fflush(stdout) || ferror(stdout) ||
	    (bad_file && fclose(bad_file))) {
		perror("gen_ticks: write");
		return 1;
	}
	return 0;
usage:
	fprintf(stderr, "usage: gen_ticks [-n rows] [-k symbols] [-b bad-rate] "
			"[-d dup-rate]\n                 [-q quoted-rate] "
			"[-j disorder-ms] [-s seed] [-g] [-B file] "
			"[-v] quotes|daily\n");
	return 2;
}
