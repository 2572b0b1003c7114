/* test_detect_date.c - a table of texts, each with what detect_date must find in it; support_detect
 * also feeds every text byte by byte. */
#include "policy/identify/detector.h"
#include "tests/policy/identify/rows.h"

static const struct row numeric[] = {
    {"on 2/16/1961 in", "DATE:2/16/1961"},
    {"f(when=\"5/27\", score=\"7/10\")", "DATE:5/27"},
    {"Age: 95 Residence: here", "AGE90:95"},
    {"\"age\": \"97\", \"age_years\": 93}", "AGE90:97|AGE90:93"},
    {"Age (years): 94", "AGE90:94"},
    {"my gandmother is 98 and", "AGE90:98"},
    {"my temprature is 98 and", ""},
    {"14. May I ask", ""},
    {"02-16-61.", "DATE:02-16-61"},
    {"03/20/86", "DATE:03/20/86"},
    {"1961-02-16;", "DATE:1961-02-16"},
    {"at 2016-02-16T10:00:00Z the", "DATE:2016-02-16T10:00:00Z"},
    {"2000-04-16 11:34:35\n", "DATE:2000-04-16 11:34:35"},
    {"16.02.1961", "DATE:16.02.1961"},
    {"1961/02/16", "DATE:1961/02/16"},
    {"2 / 16 / 1961", "DATE:2 / 16 / 1961"},
    {"02/1961", "DATE:02/1961"},
    {"DOB 02161961", "DATE:02161961"},
    {"date of birth: 02 16 1961", "DATE:02 16 1961"},
    {"appointment on 12/24", "DATE:12/24"},
    {"born 7/4,", "DATE:7/4"},
    {"since 3/1 i", "DATE:3/1"},
    {"dob 2-16-61", "DATE:2-16-61"},
    {"D.O.B.: 4/5", "DATE:4/5"},
    {"d.o.b 021661", "DATE:021661"},
    {"my bday's 2/16", "DATE:2/16"},
    {"2/16/2023-3/1/2023", "DATE:2/16/2023-3/1/2023"},
    {"11/21/2026T10:00", "DATE:11/21/2026T10:00"},
    {"20210603T101500Z", "DATE:20210603T101500Z"},
    {"Signed: 16.2.61", "DATE:16.2.61"},
    {"Tues 11/7", "DATE:Tues 11/7"},
};

static const struct row named[] = {
    {"16 Feb 1961", "DATE:16 Feb 1961"},
    {"16-Feb-1961", "DATE:16-Feb-1961"},
    {"16-Feb-61", "DATE:16-Feb-61"},
    {"Feb 16th, 1961", "DATE:Feb 16th, 1961"},
    {"February 16 1961", "DATE:February 16 1961"},
    {"since the 16th of February, when", "DATE:the 16th of February"},
    {"march 27", "DATE:march 27"},
    {"born 27 march", "DATE:27 march"},
    {"Nov. 7", "DATE:Nov. 7"},
    {"june of 1998", "DATE:june of 1998"},
    {"in June 1998", "DATE:June 1998"},
    {"may 5", "DATE:may 5"},
    {"Jun '98", "DATE:Jun '98"},
    {"march 3, \xE2\x80\x99"
     "61",
     "DATE:march 3, \xE2\x80\x99"
     "61"},
    {"26 may 1998", "DATE:26 may 1998"},
    {"June 5-7, 2020", "DATE:June 5-7, 2020"},
    {"Tuesday, Nov 7", "DATE:Tuesday, Nov 7"},
    {"tuesday the 14th", "DATE:tuesday the 14th"},
    {"on the 14th", "DATE:the 14th"},
    {"june sixteenth nineteen sixty one", "DATE:june sixteenth nineteen sixty one"},
    {"on the twenty first of may", "DATE:the twenty first of may"},
    {"July two thousand and seven", "DATE:July two thousand and seven"},
    {"2021-Jun-03", "DATE:2021-Jun-03"},
    {"03JUN2021", "DATE:03JUN2021"},
    {"June3rd", "DATE:June3rd"},
    {"june fifteen", "DATE:june fifteen"},
    {"febuary 14th 2020", "DATE:febuary 14th 2020"},
    {"Christmas 2019", "DATE:Christmas 2019"},
    {"on Christmas Eve", "DATE:Christmas Eve"},
    {"new year's eve 2019", "DATE:year's eve 2019"},
    {"Valentine's Day, 2020", "DATE:Valentine's Day, 2020"},
    {"el 16 de febrero de 1961", "DATE:16 de febrero de 1961"},
    {"16. M\xC3\xA4rz 1961", "DATE:16. M\xC3\xA4rz 1961"},
};

static const struct row aged[] = {
    {"My grandmother is 92 years old", "AGE90:92"},
    {"a 92-year-old man", "AGE90:92"},
    {"92 yo", "AGE90:92"},
    {"92yo F", "AGE90:92yo"},
    {"92 y/o", "AGE90:92"},
    {"aged 92.", "AGE90:92"},
    {"age: 104", "AGE90:104"},
    {"he turned 95 and", "AGE90:95"},
    {"my grandmother is 98", "AGE90:98"},
    {"he's 101.", "AGE90:101"},
    {"his 98th birthday", "AGE90:98th"},
    {"ninety-two years old", "AGE90:ninety-two"},
    {"one hundred and two years old", "AGE90:one hundred and two"},
    {"in her nineties", "AGE90:nineties"},
    {"in his late 90s", "AGE90:90s"},
    {"born in 1931", "AGE90:1931"},
    {"a 90 year old", "AGE90:90"},
    {"My grandpa, 93, lives", "AGE90:93"},
    {"dad (93) is", "AGE90:93"},
    {"she'll be 95", "AGE90:95"},
    {"died at 97.", "AGE90:97"},
    {"lived to be 101", "AGE90:101"},
    {"celebrated her 95th.", "AGE90:95th"},
    {"91F with dementia", "AGE90:91F"},
};

static const struct row none[] = {
    {"i may 5 times", ""},
    {"it may be", ""},
    {"it may 5", ""},
    {"2/32/1961", ""},
    {"we march on", ""},
    {"march 10 miles", ""},
    {"O2 sat 98", ""},
    {"the sun 5 hours", ""},
    {"rate 7/10", ""},
    {"from 3/10 to 7/10", ""},
    {"BP 120/80", ""},
    {"cut by 1/2", ""},
    {"on 5/10 mg", ""},
    {"in March", ""},
    {"in 1998", ""},
    {"on Tuesday", ""},
    {"at 10:30", ""},
    {"for 3 weeks", ""},
    {"Try 4-7-8 breathing", ""},
    {"version 1.2.10", ""},
    {"on the 5th floor", ""},
    {"2-3 weeks", ""},
    {"1-10", ""},
    {"second of all", ""},
    {"item 99", ""},
    {"she is 90 minutes late", ""},
    {"it's 95 outside", ""},
    {"in june two people", ""},
    {"took 3/4 of the pills", ""},
    {"24/7 care, 20/20 vision, 50/50", ""},
    {"before Labor Day", ""},
    {"99F fever", ""},
    {"quarter 3 2021", ""},
    {"98.6 degrees", ""},
    {"he weighs 98 kg", ""},
    {"my mom is 98 pounds", ""},
    {"HR is 98", ""},
    {"95 mg", ""},
    {"i'm 100% sure", ""},
    {"call 911", ""},
    {"89 years old", ""},
    {"in the 90s", ""},
    {"for 92 years", ""},
    {"she is 34 years old", ""},
    {"born in 1961", ""},
    {"2016-02-30-17", ""},
    {"32/13/1961", ""},
};

#define ROWS(table) CHECK_ROWS(detect_date, NULL, table)

static void finds_dates_of_numbers(void)
{
    ROWS(numeric);
}

static void finds_dates_with_names(void)
{
    ROWS(named);
}

static void finds_ages_over_89(void)
{
    ROWS(aged);
}

static void leaves_other_numbers_and_words_alone(void)
{
    ROWS(none);
}

CHECK_MAIN(finds_dates_of_numbers, finds_dates_with_names, finds_ages_over_89,
           leaves_other_numbers_and_words_alone)
