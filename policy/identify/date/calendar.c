/* calendar.c - see calendar.h. */
#include "policy/identify/date/calendar.h"

/* clang-format off */
static const struct word_entry entries[] = {
    {"abril", 4 | CALENDAR_FOREIGN}, {"agosto", 8 | CALENDAR_FOREIGN}, {"agust", 8},
    {"aout", 8 | CALENDAR_FOREIGN}, {"apirl", 4}, {"apr", 4 | CALENDAR_SHORT}, {"april", 4},
    {"aprile", 4 | CALENDAR_FOREIGN}, {"aprill", 4}, {"aug", 8 | CALENDAR_SHORT}, {"augst", 8},
    {"august", 8}, {"augusti", 8 | CALENDAR_FOREIGN}, {"augustus", 8 | CALENDAR_FOREIGN},
    {"avril", 4 | CALENDAR_FOREIGN}, {"boxing", CALENDAR_HOLIDAY_HEAD},
    {"chanukah", CALENDAR_HOLIDAY}, {"christmas", CALENDAR_HOLIDAY},
    {"columbus", CALENDAR_HOLIDAY_HEAD}, {"dec", 12 | CALENDAR_SHORT}, {"december", 12},
    {"decembre", 12 | CALENDAR_FOREIGN}, {"decemeber", 12}, {"decmber", 12},
    {"desember", 12 | CALENDAR_FOREIGN}, {"dezember", 12 | CALENDAR_FOREIGN},
    {"dezembro", 12 | CALENDAR_FOREIGN}, {"dicembre", 12 | CALENDAR_FOREIGN},
    {"diciembre", 12 | CALENDAR_FOREIGN}, {"diwali", CALENDAR_HOLIDAY},
    {"easter", CALENDAR_HOLIDAY}, {"eid", CALENDAR_HOLIDAY}, {"enero", 1 | CALENDAR_FOREIGN},
    {"epiphany", CALENDAR_HOLIDAY}, {"father", CALENDAR_HOLIDAY_HEAD},
    {"fathers", CALENDAR_HOLIDAY_HEAD}, {"feb", 2 | CALENDAR_SHORT},
    {"febbraio", 2 | CALENDAR_FOREIGN}, {"febrary", 2}, {"febrero", 2 | CALENDAR_FOREIGN},
    {"februar", 2 | CALENDAR_FOREIGN}, {"februari", 2 | CALENDAR_FOREIGN}, {"february", 2},
    {"februrary", 2}, {"febuary", 2}, {"feburary", 2}, {"fevereiro", 2 | CALENDAR_FOREIGN},
    {"fevrier", 2 | CALENDAR_FOREIGN}, {"fri", CALENDAR_WEEKDAY | CALENDAR_SHORT},
    {"friday", CALENDAR_WEEKDAY}, {"gennaio", 1 | CALENDAR_FOREIGN},
    {"giugno", 6 | CALENDAR_FOREIGN}, {"halloween", CALENDAR_HOLIDAY},
    {"hanukkah", CALENDAR_HOLIDAY}, {"independence", CALENDAR_HOLIDAY_HEAD},
    {"jan", 1 | CALENDAR_SHORT}, {"janaury", 1}, {"janeiro", 1 | CALENDAR_FOREIGN},
    {"januar", 1 | CALENDAR_FOREIGN}, {"januari", 1 | CALENDAR_FOREIGN}, {"january", 1},
    {"janurary", 1}, {"januray", 1}, {"janvier", 1 | CALENDAR_FOREIGN},
    {"juillet", 7 | CALENDAR_FOREIGN}, {"juin", 6 | CALENDAR_FOREIGN}, {"jul", 7 | CALENDAR_SHORT},
    {"julho", 7 | CALENDAR_FOREIGN}, {"juli", 7 | CALENDAR_FOREIGN},
    {"julio", 7 | CALENDAR_FOREIGN}, {"july", 7}, {"jun", 6 | CALENDAR_SHORT}, {"june", 6},
    {"juneteenth", CALENDAR_HOLIDAY}, {"junho", 6 | CALENDAR_FOREIGN},
    {"juni", 6 | CALENDAR_FOREIGN}, {"junio", 6 | CALENDAR_FOREIGN}, {"kwanzaa", CALENDAR_HOLIDAY},
    {"labor", CALENDAR_HOLIDAY_HEAD}, {"labour", CALENDAR_HOLIDAY_HEAD},
    {"luglio", 7 | CALENDAR_FOREIGN}, {"maart", 3 | CALENDAR_FOREIGN},
    {"maggio", 5 | CALENDAR_FOREIGN}, {"mai", 5 | CALENDAR_FOREIGN}, {"maio", 5 | CALENDAR_FOREIGN},
    {"mar", 3 | CALENDAR_AMBIGUOUS | CALENDAR_SHORT}, {"march", 3 | CALENDAR_AMBIGUOUS},
    {"marco", 3 | CALENDAR_FOREIGN}, {"mars", 3 | CALENDAR_FOREIGN}, {"marz", 3 | CALENDAR_FOREIGN},
    {"marzo", 3 | CALENDAR_FOREIGN}, {"may", 5 | CALENDAR_AMBIGUOUS},
    {"mayo", 5 | CALENDAR_FOREIGN}, {"mei", 5 | CALENDAR_FOREIGN},
    {"memorial", CALENDAR_HOLIDAY_HEAD}, {"mlk", CALENDAR_HOLIDAY_HEAD},
    {"mon", CALENDAR_WEEKDAY | CALENDAR_SHORT}, {"monday", CALENDAR_WEEKDAY},
    {"mother", CALENDAR_HOLIDAY_HEAD}, {"mothers", CALENDAR_HOLIDAY_HEAD},
    {"nov", 11 | CALENDAR_SHORT}, {"november", 11}, {"novembre", 11 | CALENDAR_FOREIGN},
    {"novembro", 11 | CALENDAR_FOREIGN}, {"novemeber", 11}, {"noviembre", 11 | CALENDAR_FOREIGN},
    {"novmber", 11}, {"ocotber", 10}, {"oct", 10 | CALENDAR_SHORT}, {"october", 10},
    {"octobor", 10}, {"octobre", 10 | CALENDAR_FOREIGN}, {"octuber", 10},
    {"octubre", 10 | CALENDAR_FOREIGN}, {"oktober", 10 | CALENDAR_FOREIGN},
    {"ottobre", 10 | CALENDAR_FOREIGN}, {"outubro", 10 | CALENDAR_FOREIGN},
    {"passover", CALENDAR_HOLIDAY}, {"patrick", CALENDAR_HOLIDAY_HEAD},
    {"patricks", CALENDAR_HOLIDAY_HEAD}, {"presidents", CALENDAR_HOLIDAY_HEAD},
    {"purim", CALENDAR_HOLIDAY}, {"ramadan", CALENDAR_HOLIDAY},
    {"sat", CALENDAR_WEEKDAY | CALENDAR_SHORT}, {"saturday", CALENDAR_WEEKDAY},
    {"sep", 9 | CALENDAR_SHORT}, {"sept", 9 | CALENDAR_SHORT}, {"septembar", 9}, {"september", 9},
    {"septembre", 9 | CALENDAR_FOREIGN}, {"septemeber", 9}, {"septiembre", 9 | CALENDAR_FOREIGN},
    {"septmber", 9}, {"setembro", 9 | CALENDAR_FOREIGN}, {"setpember", 9},
    {"settembre", 9 | CALENDAR_FOREIGN}, {"sun", CALENDAR_WEEKDAY | CALENDAR_SHORT},
    {"sunday", CALENDAR_WEEKDAY}, {"thanksgiving", CALENDAR_HOLIDAY},
    {"thu", CALENDAR_WEEKDAY | CALENDAR_SHORT}, {"thur", CALENDAR_WEEKDAY | CALENDAR_SHORT},
    {"thurs", CALENDAR_WEEKDAY | CALENDAR_SHORT}, {"thursday", CALENDAR_WEEKDAY},
    {"tue", CALENDAR_WEEKDAY | CALENDAR_SHORT}, {"tues", CALENDAR_WEEKDAY | CALENDAR_SHORT},
    {"tuesday", CALENDAR_WEEKDAY}, {"valentine", CALENDAR_HOLIDAY_HEAD},
    {"valentines", CALENDAR_HOLIDAY_HEAD}, {"veteran", CALENDAR_HOLIDAY_HEAD},
    {"veterans", CALENDAR_HOLIDAY_HEAD}, {"wed", CALENDAR_WEEKDAY | CALENDAR_SHORT},
    {"wednesday", CALENDAR_WEEKDAY}, {"weds", CALENDAR_WEEKDAY | CALENDAR_SHORT},
    {"xmas", CALENDAR_HOLIDAY},
};
/* clang-format on */
const struct word_table calendar_words = WORD_TABLE(entries);

static bool is_year(uint32_t value)
{
    return value >= 1900 && value <= 2099;
}

bool calendar_is_year(const struct glance_digits *digits)
{
    return digits->count == 4 && is_year(digits->value);
}

bool calendar_is_day_of(uint32_t day, uint32_t month)
{
    return day >= 1 && day <= 31 && month >= 1 && month <= 12;
}

bool calendar_is_day_and_month(uint32_t one, uint32_t other)
{
    return calendar_is_day_of(one, other) || calendar_is_day_of(other, one);
}

bool calendar_is_solid_date(uint32_t value, uint32_t count)
{
    if (count == 8) {
        const uint32_t front = value / 10000;
        const uint32_t back = value % 10000;
        return (is_year(back) && calendar_is_day_and_month(front / 100, front % 100))
               || (is_year(front) && calendar_is_day_of(back % 100, back / 100));
    }
    return count == 6 && calendar_is_day_and_month(value / 10000, value / 100 % 100);
}
