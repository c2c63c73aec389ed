/* fuzz-log-firewall: firewalls' own formats; see logs.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "logs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "ufw", "iptables", "cisco_asa",
					     "panos", "pfsense" };

	fuzz_formats(names, sizeof(names) / sizeof(*names), data, size);
	return 0;
}
