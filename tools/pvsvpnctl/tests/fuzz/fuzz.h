/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A parser that gets arbitrary input. "make fuzz" links each parser with libFuzzer, "make check"
 * with main.c, which reads the files of the corpus.
 */
#ifndef PVSVPNCTL_FUZZ_H
#define PVSVPNCTL_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* PVSVPNCTL_FUZZ_H */
