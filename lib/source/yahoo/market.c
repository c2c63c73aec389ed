/* market: Yahoo's codes of exchanges as market codes.
 *
 * source  Yahoo's exchangeName beside its symbols' suffixes; ISO 10383
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "source/yahoo/yahoo.h"

const char *fl_yahoo_mic(const char *exchange)
{
	static const char codes[][2][5] = {
		{ "NMS", "XNAS" }, { "NGM", "XNAS" }, { "NCM", "XNAS" },
		{ "NYQ", "XNYS" }, { "ASE", "XASE" }, { "PCX", "ARCX" },
		{ "BTS", "BATS" }, { "CME", "XCME" }, { "CBT", "XCBT" },
		{ "NYM", "XNYM" }, { "CMX", "XCEC" }, { "TOR", "XTSE" },
		{ "VAN", "XTSX" }, { "MEX", "XMEX" }, { "SAO", "BVMF" },
		{ "BUE", "XBUE" }, { "SGO", "XSGO" }, { "LSE", "XLON" },
		{ "GER", "XETR" }, { "FRA", "XFRA" }, { "STU", "XSTU" },
		{ "MUN", "XMUN" }, { "DUS", "XDUS" }, { "HAM", "XHAM" },
		{ "BER", "XBER" }, { "PAR", "XPAR" }, { "AMS", "XAMS" },
		{ "BRU", "XBRU" }, { "LIS", "XLIS" }, { "ISE", "XDUB" },
		{ "MIL", "XMIL" }, { "MCE", "XMAD" }, { "EBS", "XSWX" },
		{ "VIE", "XWBO" }, { "STO", "XSTO" }, { "CPH", "XCSE" },
		{ "HEL", "XHEL" }, { "ICE", "XICE" }, { "OSL", "XOSL" },
		{ "WSE", "XWAR" }, { "PRA", "XPRA" }, { "BUD", "XBUD" },
		{ "ATH", "ASEX" }, { "IST", "XIST" }, { "TLV", "XTAE" },
		{ "JNB", "XJSE" }, { "SAU", "XSAU" }, { "DOH", "DSMD" },
		{ "NSI", "XNSE" }, { "BSE", "XBOM" }, { "JPX", "XTKS" },
		{ "HKG", "XHKG" }, { "SHH", "XSHG" }, { "SHZ", "XSHE" },
		{ "TAI", "XTAI" }, { "TWO", "ROCO" }, { "KSC", "XKRX" },
		{ "KOE", "XKOS" }, { "SES", "XSES" }, { "SET", "XBKK" },
		{ "JKT", "XIDX" }, { "KLS", "XKLS" }, { "ASX", "XASX" },
		{ "NZE", "XNZE" },
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		if (strcmp(codes[i][0], exchange) == 0)
			return codes[i][1];
	}
	return NULL;
}
