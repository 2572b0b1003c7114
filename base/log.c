#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { EVENT_SLOTS = 256 };

/* What one event has written in the current second. Slots are found by the address of the literal;
 * two events in one slot share a budget, which loses lines and never correctness. */
struct budget {
    int64_t second;
    uint32_t written, dropped;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct budget budgets[EVENT_SLOTS];
static enum log_level level_min = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    level_min = level;
}

/* Under the lock. False when the line must be dropped; *dropped_before is to be told otherwise. */
static int may_write(const char *event, int64_t second, uint32_t *dropped_before)
{
    struct budget *budget = &budgets[((uintptr_t)event >> 2) % EVENT_SLOTS];
    if (budget->second != second) {
        budget->second = second;
        budget->written = 0;
    }
    if (budget->written >= LOG_EVENT_PER_SECOND) {
        budget->dropped++;
        return 0;
    }
    budget->written++;
    *dropped_before = budget->dropped;
    budget->dropped = 0;
    return 1;
}

static size_t write_head(char *line, int64_t now_ms, enum log_level level, const char *part,
                         const char *event)
{
    static const char *const level_names[] = {"debug", "info", "warn", "error"};
    const time_t seconds = (time_t)(now_ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    char when[40];
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &utc);
    const int length = snprintf(line, LOG_LINE_BYTES, "time=%s.%03dZ level=%s part=%s event=%s",
                                when, (int)(now_ms % 1000), level_names[level], part, event);
    return (size_t)length;
}

void log_event(enum log_level level, const char *part, const char *event, const char *fields, ...)
{
    if (level < level_min) {
        return;
    }
    const int64_t now_ms = clock_unix_ms();
    char line[LOG_LINE_BYTES + 32];
    size_t length = write_head(line, now_ms, level, part, event);
    if (fields[0] != '\0') {
        line[length++] = ' ';
        va_list arguments;
        va_start(arguments, fields);
        vsnprintf(line + length, LOG_LINE_BYTES - length, fields, arguments);
        va_end(arguments);
        length += strlen(line + length);
    }
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) {
            line[i] = '?';
        }
    }
    pthread_mutex_lock(&lock);
    uint32_t dropped = 0;
    if (may_write(event, now_ms / 1000, &dropped)) {
        if (dropped > 0) {
            length += (size_t)snprintf(line + length, 24, " dropped=%u", dropped);
        }
        line[length++] = '\n';
        const ssize_t written = write(STDERR_FILENO, line, length);
        (void)written; /* nowhere to report a log that cannot be written */
    }
    pthread_mutex_unlock(&lock);
}
