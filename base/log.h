/* log.h - one logfmt line per event on stderr: time, level, part, event, then the caller's fields.
 * Any thread. Lines may be lost: each event has a budget of LOG_EVENT_PER_SECOND lines, and what
 * was dropped is counted in the next line (`dropped=12`). Never prompts, completions, keys or
 * headers. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum { LOG_EVENT_PER_SECOND = 50, LOG_LINE_BYTES = 1024 };

void log_set_level(enum log_level level); /* default: LOG_LEVEL_INFO; set before threads start */

/* part and event are literals ("server", "request.done"); fields is a logfmt format or "".
 * A value that may hold spaces is written as \"%s\". Control characters become '?'. */
void log_event(enum log_level level, const char *part, const char *event, const char *fields, ...)
    __attribute__((format(printf, 4, 5)));

#ifdef __cplusplus
}
#endif
