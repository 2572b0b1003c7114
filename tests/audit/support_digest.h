/* support_digest.h - what the chain's tests share: digests as text, patterns as bytes. */
#pragma once
#include "audit/chain/digest.h"

/* The digest that 64 hexadecimal digits spell. */
struct digest support_digest_of_hex(const char *text);
bool support_digest_is(struct digest digest, const char *hex);

/* bytes[i] = i * factor + offset: easily made in any language. */
void support_digest_pattern(uint8_t *out, size_t length, uint32_t factor, uint32_t offset);
