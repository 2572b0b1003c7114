/* support_crisis.h - the shipped rules once for a test, and messages read with them. */
#pragma once
#include "policy/crisis/crisis.h"

const struct crisis_rules *support_crisis_rules(void);

/* One message of a person in a conversation of its own, fed `chunk` bytes at a time; 0: at once. */
struct crisis_finding support_crisis_read(const char *text, size_t chunk);
