/* fuzz-log-web: formats of web servers and of AWS; see logs.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "logs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "vpc_flow", "aws_waf", "combined",
					     "clf", "w3c" };

	fuzz_formats(names, sizeof(names) / sizeof(*names), data, size);
	return 0;
}
