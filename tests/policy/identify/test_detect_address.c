/* test_detect_address.c - a table of texts, each with what detect_address must find in it, with the
 * lexicon of the binary; support_detect also feeds every text byte by byte. */
#include "policy/identify/detector.h"
#include "policy/identify/zip_prefix.h"
#include "tests/policy/identify/rows.h"

static const struct row streets[] = {
    {"I moved to 2456 Oak Lane Unit D, Richmond", "STREET:2456 Oak Lane Unit D"},
    {"7136 Sunset Blvd, Harrison", "STREET:7136 Sunset Blvd"},
    {"2213 Peachtree Avenue, Apt 59, Snellville.", "STREET:2213 Peachtree Avenue, Apt 59"},
    {"4265 Sunset Street #638, Grenora", "STREET:4265 Sunset Street #638"},
    {"38 Martin Luther King Jr Dr", "STREET:38 Martin Luther King Jr Dr"},
    {"6115 Mill Creek Dr #353", "STREET:6115 Mill Creek Dr #353"},
    {"3409 peachtree blvd, apt 01, salineno", "STREET:3409 peachtree blvd, apt 01"},
    {"i live at 8708 oak dr in town", "STREET:8708 oak dr"},
    {"12B Baker St.", "STREET:12B Baker St"},
    {"221 1/2 W. Oak St, Floor 2", "STREET:221 1/2 W. Oak St, Floor 2"},
    {"12-14 High Street", "STREET:12-14 High Street"},
    {"5520 5th Rd", "STREET:5520 5th Rd"},
    {"1600 Pennsylvania Avenue NW", "STREET:1600 Pennsylvania Avenue NW"},
    {"100 St James Pl", "STREET:100 St James Pl"},
    {"1234 Broadway Apt 3", "STREET:1234 Broadway Apt 3"},
    {"5600 Highway 61", "STREET:5600 Highway 61"},
    {"1200 County Road 12", "STREET:1200 County Road 12"},
    {"on 5th Street", "STREET:5th Street"},
    {"she lives on Maple Avenue.", "STREET:Maple Avenue"},
    {"the corner of 5th and Main.", "STREET:5th and Main"},
    {"One Microsoft Way", "STREET:One Microsoft Way"},
    {"400 Martin Luther King, Jr. Blvd", "STREET:400 Martin Luther King, Jr. Blvd"},
    {"I live near 12th and Vine.", "STREET:12th and Vine"},
    {"Flat 3, 10 Downing Street", "STREET:Flat 3, 10 Downing Street"},
    {"3536 1659 Hoog St", "STREET:3536 1659 Hoog St"},
    {"on Maple Street there", "STREET:Maple Street"},
    {"at Locavore, 641 Da\xC5\xA1ick\xC3\xA1 688, meet", ""},
    {"my address: 641 Da\xC5\xA1ick\xC3\xA1 688, Onaga", "STREET:641 Da\xC5\xA1ick\xC3\xA1 688"},
    {"Jo\n> Apt. 675\n> Onaga", "STREET:Apt. 675"},
    {"15 park ave, suite 12", "STREET:15 park ave, suite 12"},
};

static const struct row boxes[] = {
    {"P.O. Box 149", "STREET:P.O. Box 149"},
    {"po box 12, Onaga", "STREET:po box 12"},
    {"RR 2 Box 15", "STREET:RR 2 Box 15"},
    {"rural route 3", "STREET:rural route 3"},
    {"PSC 3294, Box 9168\nAPO AA 61487", "STREET:PSC 3294, Box 9168\nAPO AA 61487"},
    {"Unit 4719 Box 7394\nDPO AP 70942 in", "STREET:Unit 4719 Box 7394\nDPO AP 70942"},
    {"USS Lorenzen\nFPO AE 25990", "STREET:USS Lorenzen\nFPO AE 25990"},
};

static const struct row abroad[] = {
    {"6750 Koskikatu 25 Apt. 864", "STREET:6750 Koskikatu 25 Apt. 864"},
    {"Gesterbyntie 68", "STREET:Gesterbyntie 68"},
    {"90 Whitchurch Road", "STREET:90 Whitchurch Road"},
    {"2456 Rue de Virton 38", "STREET:2456 Rue de Virton 38"},
    {"Friedhofstrasse 33", "STREET:Friedhofstrasse 33"},
    {"wohnt Lange Stra\xC3\x9F"
     "e 4",
     "STREET:Lange Stra\xC3\x9F"
     "e 4"},
    {"Calle Mayor 12", "STREET:Calle Mayor 12"},
    {"Via Roma 5", "STREET:Via Roma 5"},
    {"ul. Marsza\xC5\x82kowska 12", "STREET:ul. Marsza\xC5\x82kowska 12"},
    {"12, rue de la Paix", "STREET:12, rue de la Paix"},
    {"Kossuth Lajos utca 5", "STREET:Kossuth Lajos utca 5"},
    {"C/ Mayor 5", "STREET:C/ Mayor 5"},
    {"his address: 049 Langeskov-Centret 83", "STREET:049 Langeskov-Centret 83"},
    {"Hauptstr. 5", "STREET:Hauptstr. 5"},
    {"62 Rue Gafsa Apt. 981", "STREET:62 Rue Gafsa Apt. 981"},
    {"137 Avenue Teboulbi", "STREET:137 Avenue Teboulbi"},
    {"20789 Allika 46\n Suite 501\n", "STREET:20789 Allika 46\n Suite 501"},
};

static const struct row codes[] = {
    {"Hustler, CA 95002", "ZIP:95002"},
    {"2456 Oak Lane Unit D, Richmond 51005 and I", "STREET:2456 Oak Lane Unit D|ZIP:51005"},
    {"unit b, red oak 09757 and", "ZIP:09757"},
    {"zip 17327", "ZIP:17327"},
    {"{\"zip\":\"17327\",\"postalCode\":\"17329\"}", "ZIP:17327|ZIP:17329"},
    {"my zip code is 880", "ZIP:880"},
    {"ZIP: 394 13", "ZIP:394 13"},
    {"i live in 79535", "ZIP:79535"},
    {"area 90011", "ZIP:90011"},
    {"onaga ks 66521", "ZIP:66521"},
    {"the 66521 area", "ZIP:66521"},
    {"Rue X 5, 75001 Paris", "STREET:Rue X 5|ZIP:75001"},
    {"in Arendal 4844 since", "ZIP:4844"},
    {"00-950 Warszawa", "ZIP:00-950"},
    {"in Costamezzana 43015", "ZIP:43015"},
    {"Sydney NSW 2000", "ZIP:2000"},
    {"Suite 828\n Onaga\n United Kingdom 89800\n", "ZIP:89800"},
    {"90011-1234", "ZIP:90011-1234"},
    {"moved to SW1A 1AA.", "ZIP:SW1A 1AA"},
    {"Ottawa K1A 0B1", "ZIP:K1A 0B1"},
    {"Damrak 1, 1012 LG Amsterdam", "ZIP:1012 LG"},
};

static const struct row none[] = {
    {"I have 3 kids on the way", ""},
    {"2 people drive", ""},
    {"take 20 mg a day way", ""},
    {"5 years in court", ""},
    {"10 minutes drive", ""},
    {"one way", ""},
    {"1 in 5 people", ""},
    {"number 1 place", ""},
    {"10000 steps", ""},
    {"$15000", ""},
    {"in 10000 people", ""},
    {"i walked, then did 12500 steps", ""},
    {"34 saw Dr. Lee", ""},
    {"2nd place", ""},
    {"2 CT scans", ""},
    {"at age 34 i met dr lee", ""},
    {"B12 5mg", ""},
    {"400 people in the street", ""},
    {"code 12345", ""},
    {"I had 12 sessions in a row", ""},
    {"during 2 weeks", ""},
    {"on my own terms 5 times", ""},
    {"live on the street", ""},
    {"my brigade 5", ""},
    {"at 34 hugged Dr. Lee", ""},
    {"3 filthy streets", ""},
    {"in 15000 and more", ""},
    {"A1 5hr", ""},
    {"in Paris 2019", ""},
    {"10-150 mg", ""},
    {"on Wall Street", ""},
    {"to Nuuk Barlaan, 4785", ""},
    {"in 2019 Park Hill fell", ""},
    {"Wall Street Journal", ""},
    {"Via email 5 times", ""},
    {"90 day trial in 24 hour court", ""},
    {"home by 11, journal 20 minutes", ""},
};

static struct detector_terms terms;

#define ROWS(table) CHECK_ROWS(detect_address, &terms, table)

static void finds_addresses(void)
{
    struct lexicon *lexicon = NULL;
    if (lexicon_create(&lexicon) != STATUS_OK) {
        CHECK(false, "no lexicon");
        return;
    }
    terms.lexicon = lexicon;
    ROWS(streets);
    ROWS(boxes);
    ROWS(abroad);
    ROWS(codes);
    ROWS(none);
    terms.lexicon = NULL;
    lexicon_destroy(lexicon);
}

/* Seventeen prefixes, no others. */
static void knows_sparse_prefixes(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        char three[4];
        (void)snprintf(three, sizeof three, "%03u", i);
        count += zip_is_sparse(three);
    }
    CHECK(count == 17, "%u", count);
    CHECK(zip_is_sparse("036") && zip_is_sparse("893"), "first and last");
    CHECK(!zip_is_sparse("950"), "95002");
}

CHECK_MAIN(finds_addresses, knows_sparse_prefixes)
