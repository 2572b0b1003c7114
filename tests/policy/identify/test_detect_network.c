/* Method: emails, hosts, addresses of the network, usernames and coordinates next to versions,
 * times, abbreviations and laboratory values that look like them; support_detect asks with the
 * whole text and byte by byte. All values are invented. */
#include <string.h>

#include "tests/check.h"
#include "tests/policy/support_detect.h"

static const struct {
    const char *text, *want;
} cases[] = {
    {"write to mary.jones+clinic@sub.example.co.uk, please.",
     "EMAIL:mary.jones+clinic@sub.example.co.uk"},
    {"my email is mary at gmail dot com", "EMAIL:mary at gmail dot com"},
    {"email: mary dot jones at yahoo dot com thanks", "EMAIL:mary dot jones at yahoo dot com"},
    {"you can reach me at xq_jones [at] example [dot] org",
     "EMAIL:xq_jones [at] example [dot] org"},
    {"reach me: mary.jones (at) gmail (dot) com", "EMAIL:mary.jones (at) gmail (dot) com"},
    {"contact mary @ gmail . com", "EMAIL:mary @ gmail . com"},
    {"mail me mary@gmail dot com", "EMAIL:mary@gmail dot com"},
    {"It's zelda99 at hotmail dot com", "EMAIL:zelda99 at hotmail dot com"},
    {"MARY.JONES@GMAIL.COM", "EMAIL:MARY.JONES@GMAIL.COM"},
    {"<mary@x.org>", "EMAIL:mary@x.org"},
    {"mailto:mary@x.org?subject=hi", "EMAIL:mary@x.org"},
    {"o'brien@mail.ie wrote", "EMAIL:o'brien@mail.ie"},
    {"john_@x.com", "EMAIL:john_@x.com"},
    {"meet me at work. Dot is here", ""},
    {"I am at home @ 5 pm", ""},
    {"see you at the clinic dot", ""},
    {"Look at example.com/a/b?x=1#y.", "URL:example.com/a/b?x=1#y"},
    {"visit www.my-page.net, thanks", "URL:www.my-page.net"},
    {"the site is therapy.me", "URL:therapy.me"},
    {"go to help.me now", ""},
    {"I was so.tired that is.it", ""},
    {"end.Next sentence here", ""},
    {"e.g. this and i.e. that, 7.5 mg at 3.30 p.m.", ""},
    {"hxxps://evil.site/x", "URL:hxxps://evil.site/x"},
    {"ftp://files.example.org/p", "URL:ftp://files.example.org/p"},
    {"myclinic.health/portal/jane-doe", "URL:myclinic.health/portal/jane-doe"},
    {"portal.clinic.example", "URL:portal.clinic.example"},
    {"drsmith.com", "URL:drsmith.com"},
    {"bit.ly/3xYz12", "URL:bit.ly/3xYz12"},
    {"docs.google.com/document/d/1AbC", "URL:docs.google.com/document/d/1AbC"},
    {"localhost:8080/admin", ""},
    {"http://10.0.0.5:8080/x", "URL:http://10.0.0.5:8080/x"},
    {"call 10.0.0.5 now", "IP:10.0.0.5"},
    {"10.0.0.5/24 and 10.0.0.5:443", "IP:10.0.0.5/24|IP:10.0.0.5:443"},
    {"version 1.2.3.4 is out", ""},
    {"v2.10.3 of the app", ""},
    {"1.2.3 and 1.2.3.4.5", ""},
    {"300.1.2.3", ""},
    {"192[.]168[.]0[.]12", "IP:192[.]168[.]0[.]12"},
    {"ip fe80::1ff:fe23:4567:890a%eth0 ok", "IP:fe80::1ff:fe23:4567:890a%eth0"},
    {"::1 and 2001:db8::/32", "IP:::1|IP:2001:db8::/32"},
    {"2001:db8::8a2e:370:7334", "IP:2001:db8::8a2e:370:7334"},
    {"::ffff:192.0.2.128", "IP:::ffff:192.0.2.128"},
    {"at 10:30:15 we met, 7:45", ""},
    {"std::vector", ""},
    {"my mac is 00:1A:2B:3C:4D:5E", "DEV:00:1A:2B:3C:4D:5E"},
    {"00-1a-2b-3c-4d-5e and 001a.2b3c.4d5e", "DEV:00-1a-2b-3c-4d-5e|DEV:001a.2b3c.4d5e"},
    {"follow @jane_doe.99 please", "HANDLE:@jane_doe.99"},
    {"@ 5pm meet @5pm, @home", "HANDLE:@home"},
    {"my username is sunny", "HANDLE:sunny"},
    {"username: bluebird", "HANDLE:bluebird"},
    {"user name: blue.bird_9", "HANDLE:blue.bird_9"},
    {"My handle is quietstorm on there", "HANDLE:quietstorm"},
    {"i can't handle stress", ""},
    {"insta: lily.writes", "HANDLE:lily.writes"},
    {"my insta is lilywrites22", "HANDLE:lilywrites22"},
    {"snapchat is fun and discord helps", ""},
    {"add me on snap lil_k99", "HANDLE:lil_k99"},
    {"ig @lil.k", "HANDLE:@lil.k"},
    {"discord: moonbeam#1234", "HANDLE:moonbeam#1234"},
    {"battletag Moon#4821", "HANDLE:Moon#4821"},
    {"u/throwRA_sad posted in r/depression", "HANDLE:u/throwRA_sad"},
    {"take 40 u/day", ""},
    {"reddit user throwaway8812", "HANDLE:throwaway8812"},
    {"login: mjones4", "HANDLE:mjones4"},
    {"I log in: it fails", ""},
    {"telegram is down", ""},
    {"my kik is jonesy_1", "HANDLE:jonesy_1"},
    {"we live at 40.7128, -74.0060 ok", "GPS:40.7128, -74.0060"},
    {"lat 40.7128 lon -74.0060", "GPS:40.7128 lon -74.0060"},
    {"latitude: 40.71, longitude: -74.01", "GPS:40.71, longitude: -74.01"},
    {"coordinates 40.71N 74.01W", "GPS:40.71N 74.01W"},
    {"40\xc2\xb0"
     "42'46\"N 74\xc2\xb0"
     "0'22\"W",
     "GPS:40\xc2\xb0"
     "42'46\"N 74\xc2\xb0"
     "0'22\"W"},
    {"40\xc2\xb0 42.767' N", "GPS:40\xc2\xb0 42.767' N"},
    {"geo:40.7128,-74.0060", "GPS:40.7128,-74.0060"},
    {"my levels were 5.5, 6.25 and 7.125, 8.25", ""},
    {"0.125, 0.250 mg", ""},
    {"meet at ///filled.count.soap", "GPS:///filled.count.soap"},
    {"87G8P2VV+X9", "GPS:87G8P2VV+X9"},
    {"http://maps.google.com/?q=40.7128,-74.0060",
     "URL:http://maps.google.com/?q=40.7128,-74.0060"},
    {"someone wrote joe@example", "EMAIL:joe@example"},
    {"\xef\xbc\xa1lice\xef\xbc\xa0\xef\xbd\x85xample.com",
     "EMAIL:\xef\xbc\xa1lice\xef\xbc\xa0\xef\xbd\x85xample.com"},
    {"jane@exa\xe2\x80\x8bmple.com", "EMAIL:jane@exa\xe2\x80\x8bmple.com"},
    {"jane\\u0040example.com", "EMAIL:jane\\u0040example.com"},
    {"jane%40example.com", "EMAIL:jane%40example.com"},
    {"my venmo is @Jane-Doe-12", "HANDLE:@Jane-Doe-12"},
    {"pH 7.4, Na 140.5, K 4.1", ""},
    {"A.M. and P.M. U.S.A. Ph.D. M.D.", ""},
    {"Dr.Smith said no.It is", ""},
    {"St. John's wort 300mg t.i.d.", ""},
    {"Facebook: Jane Doe", "HANDLE:Jane"},
    {"her fb is jane.doe.7", "HANDLE:jane.doe.7"},
    {"user id: 99817", ""},
    {"my screen name was gothgirl", "HANDLE:gothgirl"},
    {"xbox gamertag: SniperWolf", "HANDLE:SniperWolf"},
    {"Code F33.1 (ICD-10) or 296.32, which one will they use?", ""},
    {"On a scale of 1-10 how likely are you to use the plan?", ""},
    {"I rate my anxiety 7/10 today, it was 3/10 last week.", ""},
    {"Try 4-7-8 breathing: in for 4, hold for 7, out for 8.", ""},
    {"My BP was 120/80 and HR 98 during the panic attack.", ""},
    {"I slept 5 hours, woke at 3:45 and again at 6:10.", ""},
    {"Increase sertraline to 100 mg, then 150 mg in 2-3 weeks if tolerated.", ""},
    {"My PHQ-9 was 17 and GAD-7 14, up from 9 in spring.", ""},
    {"Cognitive behavioural therapy (Beck, 1979) and DBT (Linehan) are well studied.", ""},
    {"I'm a 34-year-old mother of two and I feel like a burden in 2024.", ""},
    {"CYP2D6, 5-HT2A, COVID-19, SARS-CoV-2, H1N1, B12, A1C, MDMA, 401k, 24/7", ""},
    {"She takes vitamin D3 5000 IU, coq10 100mg and omega-3 since the mid-1990s.", ""},
    {"Between 1990 and 2005 about 1,500,000 people, 12.5 percent, were treated.", ""},
    {"In a group of 12 we did the 5-4-3-2-1 exercise twice, then 20 minutes of yoga.", ""},
    {"The order of the 9 steps is in chapter 3, section 2.1, page 145.", ""},
    {"My account of that night changed 3 times; the policy is on page 2.", ""},
};

static void every_text_has_its_findings(void)
{
    struct lexicon *lexicon = NULL;
    CHECK(lexicon_create(&lexicon) == STATUS_OK, "no lexicon");
    const struct detector_terms terms = {.lexicon = lexicon};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char got[512];
        support_detect(detect_network, &terms, cases[i].text, got, sizeof got);
        CHECK(strcmp(got, cases[i].want) == 0, "case %zu: %s\n got: %s", i, cases[i].text, got);
    }
    lexicon_destroy(lexicon);
}

CHECK_MAIN(every_text_has_its_findings)
