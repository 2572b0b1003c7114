/* Days are counted by the Gregorian calendar's rule; the year 0 would be a leap year. */
#include "audit/record/record_schema.h"

enum {
    SECOND_MS = 1000,
    MINUTE_S = 60,
    HOUR_S = 3600,
    DAY_S = 86400,
    FIRST_YEAR = 1970,
    MONTHS = 12
};

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* From the first of January of the year 1 to that of this year. */
static int days_before(int year)
{
    const int past = year - 1;
    return past * 365 + past / 4 - past / 100 + past / 400;
}

/* Returns the place behind what comes after the digits. */
static char *write_digits(char *out, int digits, int value, char after)
{
    for (int i = digits - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
    out[digits] = after;
    return out + digits + 1;
}

void record_write_time(int64_t unix_ms, char out[RECORD_TIME_BYTES])
{
    const int64_t past = unix_ms > 0 ? unix_ms : 0;
    const int64_t ms = past < RECORD_SCHEMA_TIME_MAX_MS ? past : RECORD_SCHEMA_TIME_MAX_MS;
    const int of_day = (int)(ms / SECOND_MS % DAY_S);
    int day = (int)(ms / SECOND_MS / DAY_S) + days_before(FIRST_YEAR);
    int year = day / 366 + 1; /* never too late; a few years too early at most */
    while (days_before(year + 1) <= day) {
        year++;
    }
    day -= days_before(year);
    int month = 1;
    while (day >= days_of_month(year, month)) {
        day -= days_of_month(year, month++);
    }
    char *at = write_digits(out, 4, year, '-');
    at = write_digits(at, 2, month, '-');
    at = write_digits(at, 2, day + 1, 'T');
    at = write_digits(at, 2, of_day / HOUR_S, ':');
    at = write_digits(at, 2, of_day / MINUTE_S % 60, ':');
    at = write_digits(at, 2, of_day % MINUTE_S, '.');
    at = write_digits(at, 3, (int)(ms % SECOND_MS), 'Z');
    *at = '\0';
}

/* Exactly so many digits; moves text behind them. */
static bool read_digits(const char **text, int digits, int *out)
{
    int value = 0;
    for (int i = 0; i < digits; i++) {
        const char digit = **text;
        if (digit < '0' || digit > '9') {
            return false;
        }
        value = value * 10 + (digit - '0');
        (*text)++;
    }
    *out = value;
    return true;
}

static bool skip(const char **text, char expected)
{
    if (**text != expected) {
        return false;
    }
    (*text)++;
    return true;
}

static bool read_date(const char **text, int64_t *seconds)
{
    int year = 0;
    int month = 0;
    int day = 0;
    if (!read_digits(text, 4, &year) || !skip(text, '-') || !read_digits(text, 2, &month)
        || !skip(text, '-') || !read_digits(text, 2, &day)) {
        return false;
    }
    if (year < FIRST_YEAR || month < 1 || month > MONTHS || day < 1
        || day > days_of_month(year, month)) {
        return false;
    }
    int days = days_before(year) - days_before(FIRST_YEAR) + day - 1;
    for (int past = 1; past < month; past++) {
        days += days_of_month(year, past);
    }
    *seconds = (int64_t)days * DAY_S;
    return true;
}

static bool read_clock(const char **text, int64_t *seconds)
{
    int hour = 0;
    int minute = 0;
    int second = 0;
    if (!read_digits(text, 2, &hour) || !skip(text, ':') || !read_digits(text, 2, &minute)
        || !skip(text, ':') || !read_digits(text, 2, &second)) {
        return false;
    }
    *seconds += hour * HOUR_S + minute * MINUTE_S + second;
    return hour < 24 && minute < 60 && second < 60;
}

/* One to nine digits behind a point; what is finer than milliseconds is cut. */
static bool read_fraction(const char **text, int64_t *ms)
{
    int64_t scale = SECOND_MS / 10;
    int digits = 0;
    int digit = 0;
    while (digits < 9 && read_digits(text, 1, &digit)) {
        *ms += digit * scale;
        scale /= 10;
        digits++;
    }
    return digits > 0;
}

enum status record_read_time(const char *text, int64_t *unix_ms)
{
    int64_t seconds = 0;
    int64_t ms = 0;
    if (!read_date(&text, &seconds)) {
        return STATUS_INVALID;
    }
    if (*text != '\0'
        && (!skip(&text, 'T') || !read_clock(&text, &seconds)
            || (skip(&text, '.') && !read_fraction(&text, &ms)) || !skip(&text, 'Z')
            || *text != '\0')) {
        return STATUS_INVALID;
    }
    *unix_ms = seconds * SECOND_MS + ms;
    return STATUS_OK;
}
