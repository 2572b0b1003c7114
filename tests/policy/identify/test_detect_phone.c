/* test_detect_phone.c - a table of texts, each with what detect_phone must find in it;
 * support_detect also feeds every text byte by byte. Caught by hand: an extension cut off. */
#include "policy/identify/detector.h"
#include "tests/policy/identify/rows.h"

static const struct row american[] = {
    {"call (798) 586-7565.", "PHONE:(798) 586-7565"},
    {"at 798-586-7565 or", "PHONE:798-586-7565"},
    {"798.586.7565", "PHONE:798.586.7565"},
    {"798 586 7565", "PHONE:798 586 7565"},
    {"((798) 586-7565).", "PHONE:(798) 586-7565"},
    {"(798)586-7565 fax", "FAX:(798)586-7565"},
    {"(798)5867565", "PHONE:(798)5867565"},
    {"798/586-7565", "PHONE:798/586-7565"},
    {"798--586--7565 or 798 . 586 . 7565", "PHONE:798--586--7565|PHONE:798 . 586 . 7565"},
    {"7985867565", "PHONE:7985867565"},
    {"17985867565", "PHONE:17985867565"},
    {"+17985867565", "PHONE:+17985867565"},
    {"1-798-586-7565", "PHONE:1-798-586-7565"},
    {"+1 798 586 7565", "PHONE:+1 798 586 7565"},
    {"+1-798-586-7565", "PHONE:+1-798-586-7565"},
    {"1 (798) 586-7565", "PHONE:1 (798) 586-7565"},
    {"+1 (798) 586 - 7565", "PHONE:+1 (798) 586 - 7565"},
    {"798-586-7565 ext. 12", "PHONE:798-586-7565 ext. 12"},
    {"798-586-7565, ext 12 please", "PHONE:798-586-7565, ext 12"},
    {"798-586-7565 x12", "PHONE:798-586-7565 x12"},
    {"798-586-7565x4587", "PHONE:798-586-7565x4587"},
    {"586-7565", "PHONE:586-7565"},
    {"my cell is 586 7565", "PHONE:586 7565"},
    {"text me: 5867565", "PHONE:5867565"},
    {"call 798\xE2\x80\x93"
     "586\xE2\x80\x93"
     "7565",
     "PHONE:798\xE2\x80\x93"
     "586\xE2\x80\x93"
     "7565"},
    {"1-800-FLOWERS", "PHONE:1-800-FLOWERS"},
    {"call 1-888-NYC-WELL", "PHONE:1-888-NYC-WELL"},
    {"800-273-TALK", "PHONE:800-273-TALK"},
    {"area code 798, 586-7565", "PHONE:798, 586-7565"},
    {"798_586_7565", "PHONE:798_586_7565"},
    {"(+1) 798-586-7565", "PHONE:(+1) 798-586-7565"},
    {"1.798.586.7565", "PHONE:1.798.586.7565"},
    {"798-586-7565 and 798-586-7566", "PHONE:798-586-7565|PHONE:798-586-7566"},
};

static const struct row abroad[] = {
    {"+447700 921 916", "PHONE:+447700 921 916"},
    {"+41 (0)38 549 02 90 mobile", "PHONE:+41 (0)38 549 02 90"},
    {"+46 (0)8 928 571 38 fax", "FAX:+46 (0)8 928 571 38"},
    {"+49 30 1234567", "PHONE:+49 30 1234567"},
    {"0041 44 668 18 00", "PHONE:0041 44 668 18 00"},
    {"001-518-640-0854", "PHONE:001-518-640-0854"},
    {"(08) 8747 6301", "PHONE:(08) 8747 6301"},
    {"021 284 698 2548", "PHONE:021 284 698 2548"},
    {"056 590 36 33", "PHONE:056 590 36 33"},
    {"01.84.17.61.18", "PHONE:01.84.17.61.18"},
    {"0961-7596216", "PHONE:0961-7596216"},
    {"(37) 788-063-Office", "PHONE:(37) 788-063"},
    {"07700 063 966-Fax", "FAX:07700 063 966"},
    {"Phone: 78 651 450", "PHONE:78 651 450"},
    {"They're not answering at 516 466 638", "PHONE:516 466 638"},
    {"Phone:\n71-33-52-22\n", "PHONE:71-33-52-22"},
    {"Phone:\n780 6326\n\nE-mail:", "PHONE:780 6326"},
    {"781 1704 office", "PHONE:781 1704"},
    {"(+44) 20 7946 0958", "PHONE:(+44) 20 7946 0958"},
    {"not answering at 079 2718 1155", "PHONE:079 2718 1155"},
    {"089/1234567", "PHONE:089/1234567"},
};

static const struct row fax[] = {
    {"pharmacy fax 850 386 1442", "FAX:850 386 1442"},
    {"Fax: +1 232-302-5918", "FAX:+1 232-302-5918"},
    {"cb 305 854 0966, pharmacy fax 850 386 1442", "PHONE:305 854 0966|FAX:850 386 1442"},
    {"please fax it to 798-586-7565", "FAX:798-586-7565"},
    {"798-586-7565 (fax)", "FAX:798-586-7565"},
    {"Fax: 798-586-7565\nTel: 798-586-7566", "FAX:798-586-7565|PHONE:798-586-7566"},
    {"Work 798-586-7565 Fax 798-586-7566", "PHONE:798-586-7565|FAX:798-586-7566"},
    {"P: 798-586-7565 F: 798-586-7566", "PHONE:798-586-7565|FAX:798-586-7566"},
    {"798-586-7565 office\n798-586-7566 fax\n", "PHONE:798-586-7565|FAX:798-586-7566"},
};

static const struct row spelled[] = {
    {"seven nine eight five eight six seven five six five",
     "PHONE:seven nine eight five eight six seven five six five"},
    {"it's seven nine eight, five eight six, seven five six five thanks",
     "PHONE:seven nine eight, five eight six, seven five six five"},
    {"oh double five one 23 four six seven ok", "PHONE:oh double five one 23 four six seven"},
    {"call 7 9 8 5 8 6 7 5 6 5", "PHONE:7 9 8 5 8 6 7 5 6 5"},
    {"7-9-8-5-8-6-7-5-6-5", "PHONE:7-9-8-5-8-6-7-5-6-5"},
    {"798 five eight six seven five six five", "PHONE:798 five eight six seven five six five"},
    {"my number is 798 five eight six 7565", "PHONE:798 five eight six 7565"},
    {"seven nine eight dash five eight six dash seven five six five",
     "PHONE:seven nine eight dash five eight six dash seven five six five"},
    {"eight hundred five five five one two one two",
     "PHONE:eight hundred five five five one two one two"},
    {"five five five, twenty three, sixty one one two",
     "PHONE:five five five, twenty three, sixty one one two"},
};

static const struct row none[] = {
    {"rate 1-10", ""},
    {"BP was 120/80 and HR 98", ""},
    {"150 mg then 200 mg", ""},
    {"on 2/16/1961 or 02-16-61 or 16.02.1961", ""},
    {"1961-02-16 10:30", ""},
    {"score 7/10", ""},
    {"Code F33.1 (ICD-10) or 296.32", ""},
    {"$15000 or $1 000 000", ""},
    {"in 1998 2004", ""},
    {"0.5 or .25", ""},
    {"at 10:30", ""},
    {"SSN 123-45-6789", ""},
    {"4111 1111 1111 1111", ""},
    {"ip 192.168.1.20", ""},
    {"call or text 988, or text HOME to 741741. Call 911.", ""},
    {"one two three four five six seven eight nine ten", ""},
    {"10 9 8 7 6 5 4 3 2 1", ""},
    {"my answers: 1 2 0 3 2 1 0 0 1", ""},
    {"2, 1, 0, 3, 2, 1, 0, 0, 1", ""},
    {"4-7-8 breathing", ""},
    {"100-1500 mg", ""},
    {"MRN 4514780035", ""},
    {"account number 4514780035", ""},
    {"no one two", ""},
    {"population 8 000 000 000", ""},
    {"ref 555-0199", ""},
    {"labs: 140/4.1/102/24/12/0.9", ""},
    {"ISBN 978-3-16-148410-0", ""},
    {"chapter 12, verses 3-5", ""},
    {"two hundred fifty three thousand dollars", ""},
    {"1.2.3.4.5.6.7", ""},
};

#define ROWS(table) CHECK_ROWS(detect_phone, NULL, table)

static void finds_american_numbers(void)
{
    ROWS(american);
}

static void finds_numbers_of_other_countries(void)
{
    ROWS(abroad);
}

static void tells_a_fax_by_its_label(void)
{
    ROWS(fax);
}

static void finds_digits_that_are_spelled_out(void)
{
    ROWS(spelled);
}

static void leaves_other_numbers_alone(void)
{
    ROWS(none);
}

CHECK_MAIN(finds_american_numbers, finds_numbers_of_other_countries, tells_a_fax_by_its_label,
           finds_digits_that_are_spelled_out, leaves_other_numbers_alone)
