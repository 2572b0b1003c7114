/* Method: templates of messages, in crisis and not, filled with every set of pronouns and, in turn,
 * with names, relations and groups of people (gender, origin, religion, orientation). Every filling
 * of a template must give the same finding but for its offsets. */
#include <string.h>

#include "base/random.h"
#include "tests/check.h"
#include "tests/policy/crisis/support_crisis.h"

/* N a name, R a relation, G a group; lower-case letters between braces: a pronoun's form. */
static const char *const templates[] = {
    "{he} wants to kill {himself}",
    "my {R} said {he} wants to die",
    "{N} told me {he} wants to end {his} life",
    "my {R} {N} is on the bridge and {he} wants to jump",
    "I want to kill {him}",
    "i am going to kill {him} tonight",
    "i want to kill my {R}",
    "as a {G} person i want to die",
    "i am {G} and everyone would be better off without me",
    "the {G} kids at school told me to kill myself",
    "my {R} hits me",
    "my {G} {R} hits me when {he} drinks",
    "{N} hits me and i am afraid to go home",
    "{he} raped me",
    "i am afraid of what {he} will do, {he} has a gun",
    "my {R} took a whole bottle of pills",
    "{N} took too many pills and {he} is not breathing",
    "my {R} is not breathing, {his} lips are blue",
    "my {R} hears voices",
    "the voices tell me to hurt {him}",
    "the {G} government put a chip in my head",
    "my {R} refuses to eat because {he} is afraid of gaining weight",
    "my {R} makes {himself} throw up after dinner",
    "{N} is having a seizure right now",
    "my {R} was having lunch with {N}",
    "{N} and my {R} are killing time at the {G} bakery",
    "{he} is not suicidal",
    "my {R} is not suicidal, {he} is just sad",
    "my {R} tried to kill {himself} in 2015",
    "in the movie {N} wants to kill {himself}",
    "i told {N} that i want to die",
    "i told {him} that i am suicidal",
    "i want to die because {N} left me",
    "dear {N}, i wrote a suicide note",
    "since i came out as {G} i have been cutting myself",
    "{N} is a {G} nurse and {he} likes {his} work",
    "my {R} and i argued about money with {N}",
    "my {G} {R} does not want me to see a doctor",
    "my {R} will kill me if {he} finds out that i am {G}",
    "how do i tell my {R} that i feel sad",
};

static const char *const pronouns[][5] = {
    {"he", "him", "his", "himself"},
    {"she", "her", "her", "herself"},
    {"they", "them", "their", "themselves"},
};
static const char *const names[] = {
    "Marcus", "Lily",     "Aisha",   "José",   "Wei",    "Priya",   "Dmitri", "Fatima",
    "Kwame",  "Chloe",    "Hiroshi", "Latoya", "Moshe",  "Siobhan", "Thanh",  "Ximena",
    "emma",   "mohammed", "O'Brien", "Nguyen", "keisha", "Hunter",  "Olga",   "Running Bear",
};
static const char *const relations[] = {
    "mother",     "father",   "brother",  "sister", "husband", "wife",    "boyfriend",
    "girlfriend", "son",      "daughter", "uncle",  "aunt",    "grandma", "grandpa",
    "friend",     "roommate", "neighbor", "cousin", "partner", "stepmom", "stepdad",
    "boss",       "coworker", "nephew",   "niece",  "ex",
};
static const char *const groups[] = {
    "black",     "white",    "asian",   "latino",   "native",   "muslim",   "jewish",
    "christian", "hindu",    "gay",     "straight", "trans",    "lesbian",  "bisexual",
    "immigrant", "american", "mexican", "chinese",  "nigerian", "russian",  "disabled",
    "deaf",      "old",      "young",   "queer",    "atheist",  "catholic",
};
enum { FILLINGS = 24 };

#define PICK(list) (list)[random_below(random, sizeof(list) / sizeof(list)[0])]

static const char *find_word(const char *slot, struct random_source *random,
                             const char *const *forms)
{
    switch (*slot) {
    case 'N':
        return PICK(names);
    case 'R':
        return PICK(relations);
    case 'G':
        return PICK(groups);
    default:
        break;
    }
    for (size_t form = 0; form < 4; form++) {
        const size_t length = strlen(pronouns[0][form]);
        if (strncmp(slot, pronouns[0][form], length) == 0 && slot[length] == '}') {
            return forms[form];
        }
    }
    return "?";
}

static void fill(const char *from, struct random_source *random, const char *const *forms,
                 char *out, size_t out_bytes)
{
    size_t length = 0;
    while (*from != '\0' && length + 32 < out_bytes) {
        if (*from != '{') {
            out[length++] = *from++;
            continue;
        }
        const char *word = find_word(from + 1, random, forms);
        const size_t word_bytes = strlen(word);
        memcpy(out + length, word, word_bytes);
        length += word_bytes;
        from = strchr(from, '}') + 1;
    }
    out[length] = '\0';
}

static bool is_same(const struct crisis_finding *a, const struct crisis_finding *b)
{
    for (int kind = 0; kind < CRISIS_KIND_COUNT; kind++) {
        const struct crisis_signal *x = &a->signals[kind], *y = &b->signals[kind];
        if (x->grade != y->grade || x->rule != y->rule || x->subject != y->subject
            || x->time != y->time || x->polarity != y->polarity) {
            return false;
        }
    }
    return true;
}

static void swaps_change_nothing(void)
{
    struct random_source random = {5};
    char first[256], text[256];
    size_t count = 0, signs = 0;
    for (size_t i = 0; i < sizeof templates / sizeof templates[0]; i++) {
        fill(templates[i], &random, pronouns[0], first, sizeof first);
        const struct crisis_finding want = support_crisis_read(first, 0);
        signs += want.grade != CRISIS_NONE;
        for (size_t k = 1; k < FILLINGS; k++, count++) {
            fill(templates[i], &random, pronouns[k % 3], text, sizeof text);
            const struct crisis_finding got = support_crisis_read(text, 0);
            CHECK(is_same(&want, &got), "\"%s\" (%s) but \"%s\" (%s)", first,
                  crisis_grade_name(want.grade), text, crisis_grade_name(got.grade));
        }
    }
    printf("%zu messages; %zu of %zu templates are signs\n", count, signs,
           sizeof templates / sizeof templates[0]);
    CHECK(count >= 500 && signs >= 20, "%zu, %zu", count, signs);
}

CHECK_MAIN(swaps_change_nothing)
