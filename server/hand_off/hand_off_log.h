/* hand_off_log.h - the hand-offs of this server: started from its settings, and how each ended is
 * recorded. Main thread. */
#pragma once
#include "server/config.h"
#include "server/hand_off/hand_off.h"
#include "server/trail.h"

/* policy and audit outlive it. */
MUST_CHECK enum status hand_off_log_start(const struct config *config, struct policy *policy,
                                          struct audit *audit, struct hand_off **out,
                                          struct failure *failure);
