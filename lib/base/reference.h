/* reference: a build without shortcuts, to hold the usual one against.
 *
 * What is quick because it knows the usual case has the general way behind it,
 * which must give the same. `make VARIANT=reference` builds commands that go
 * the general way only; tests/live/reference.bats compares them, byte for byte.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_BASE_REFERENCE_H
#define FL_BASE_REFERENCE_H

#ifdef FL_REFERENCE
#define FL_SHORTCUTS 0
#else
#define FL_SHORTCUTS 1
#endif

#endif
