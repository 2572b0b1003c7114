/* plain_words.c - see plain_words.h. */
#include "policy/identify/words/plain_words.h"

/* clang-format off */
static const struct word_entry units[] = {
    {"am", 1}, {"attacks", 1}, {"beats", 1}, {"beers", 1}, {"billion", 1}, {"blocks", 1},
    {"bpm", 1}, {"breaths", 1}, {"bucks", 1}, {"calories", 1}, {"caps", 1}, {"capsule", 1},
    {"capsules", 1}, {"cars", 1}, {"cc", 1}, {"cents", 1}, {"children", 1}, {"cigarettes", 1},
    {"cm", 1}, {"cups", 1}, {"day", 1}, {"days", 1}, {"decade", 1}, {"decades", 1}, {"degree", 1},
    {"degrees", 1}, {"dollar", 1}, {"dollars", 1}, {"dose", 1}, {"doses", 1}, {"drink", 1},
    {"drinks", 1}, {"drops", 1}, {"employees", 1}, {"episodes", 1}, {"euros", 1}, {"feet", 1},
    {"floors", 1}, {"foot", 1}, {"friends", 1}, {"ft", 1}, {"g", 1}, {"gb", 1}, {"ghz", 1},
    {"glasses", 1}, {"gm", 1}, {"gms", 1}, {"gram", 1}, {"grams", 1}, {"grand", 1}, {"guys", 1},
    {"hour", 1}, {"hours", 1}, {"hr", 1}, {"hrs", 1}, {"hundred", 1}, {"inch", 1}, {"inches", 1},
    {"items", 1}, {"iu", 1}, {"kb", 1}, {"kcal", 1}, {"kg", 1}, {"kgs", 1}, {"kids", 1},
    {"kilo", 1}, {"kilogram", 1}, {"kilograms", 1}, {"kilos", 1}, {"km", 1}, {"kph", 1}, {"l", 1},
    {"laps", 1}, {"lb", 1}, {"lbs", 1}, {"liter", 1}, {"liters", 1}, {"litre", 1}, {"litres", 1},
    {"m", 1}, {"mb", 1}, {"mcg", 1}, {"members", 1}, {"men", 1}, {"meq", 1}, {"meter", 1},
    {"meters", 1}, {"metre", 1}, {"metres", 1}, {"mg", 1}, {"mgs", 1}, {"mhz", 1}, {"microgram", 1},
    {"micrograms", 1}, {"mile", 1}, {"miles", 1}, {"milligram", 1}, {"milligrams", 1},
    {"milliliter", 1}, {"milliliters", 1}, {"million", 1}, {"min", 1}, {"mins", 1}, {"minute", 1},
    {"minutes", 1}, {"ml", 1}, {"mls", 1}, {"mm", 1}, {"mmhg", 1}, {"mmol", 1}, {"month", 1},
    {"months", 1}, {"mosm", 1}, {"mph", 1}, {"ng", 1}, {"night", 1}, {"nights", 1}, {"o'clock", 1},
    {"oclock", 1}, {"ounce", 1}, {"ounces", 1}, {"oz", 1}, {"packs", 1}, {"page", 1}, {"pages", 1},
    {"participants", 1}, {"patients", 1}, {"pct", 1}, {"people", 1}, {"percent", 1},
    {"percentage", 1}, {"person", 1}, {"persons", 1}, {"pill", 1}, {"pills", 1}, {"pm", 1},
    {"point", 1}, {"points", 1}, {"pound", 1}, {"pounds", 1}, {"pts", 1}, {"puffs", 1},
    {"question", 1}, {"questions", 1}, {"reps", 1}, {"rooms", 1}, {"rpm", 1}, {"sec", 1},
    {"second", 1}, {"seconds", 1}, {"secs", 1}, {"servings", 1}, {"session", 1}, {"sessions", 1},
    {"sets", 1}, {"steps", 1}, {"stone", 1}, {"students", 1}, {"tab", 1}, {"tablet", 1},
    {"tablets", 1}, {"tabs", 1}, {"things", 1}, {"thousand", 1}, {"time", 1}, {"times", 1},
    {"unit", 1}, {"units", 1}, {"usd", 1}, {"visits", 1}, {"volts", 1}, {"watts", 1}, {"ways", 1},
    {"week", 1}, {"weeks", 1}, {"wk", 1}, {"wks", 1}, {"women", 1}, {"words", 1}, {"yard", 1},
    {"yards", 1}, {"year", 1}, {"years", 1}, {"yo", 1}, {"yr", 1}, {"yrs", 1},
};
/* clang-format on */
const struct word_table plain_words_unit = WORD_TABLE(units);

/* clang-format off */
static const struct word_entry grammatical[] = {
    {"a", 1}, {"about", 1}, {"above", 1}, {"after", 1}, {"again", 1}, {"against", 1}, {"all", 1},
    {"almost", 1}, {"also", 1}, {"although", 1}, {"am", 1}, {"an", 1}, {"and", 1}, {"any", 1},
    {"are", 1}, {"aren't", 1}, {"around", 1}, {"as", 1}, {"at", 1}, {"be", 1}, {"because", 1},
    {"been", 1}, {"before", 1}, {"being", 1}, {"below", 1}, {"between", 1}, {"both", 1}, {"but", 1},
    {"by", 1}, {"call", 1}, {"called", 1}, {"calls", 1}, {"came", 1}, {"can", 1}, {"can't", 1},
    {"cannot", 1}, {"come", 1}, {"comes", 1}, {"could", 1}, {"couldn't", 1}, {"did", 1},
    {"didn't", 1}, {"do", 1}, {"does", 1}, {"doesn't", 1}, {"doing", 1}, {"don't", 1}, {"down", 1},
    {"drive", 1}, {"drives", 1}, {"drove", 1}, {"during", 1}, {"each", 1}, {"either", 1},
    {"else", 1}, {"etc", 1}, {"ever", 1}, {"every", 1}, {"feel", 1}, {"feels", 1}, {"felt", 1},
    {"few", 1}, {"for", 1}, {"from", 1}, {"further", 1}, {"gave", 1}, {"get", 1}, {"gets", 1},
    {"getting", 1}, {"give", 1}, {"gives", 1}, {"go", 1}, {"goes", 1}, {"going", 1}, {"gone", 1},
    {"got", 1}, {"had", 1}, {"hadn't", 1}, {"has", 1}, {"hasn't", 1}, {"have", 1}, {"haven't", 1},
    {"having", 1}, {"he", 1}, {"her", 1}, {"here", 1}, {"hers", 1}, {"herself", 1}, {"him", 1},
    {"himself", 1}, {"his", 1}, {"how", 1}, {"i", 1}, {"i'd", 1}, {"i'll", 1}, {"i'm", 1},
    {"i've", 1}, {"if", 1}, {"im", 1}, {"in", 1}, {"into", 1}, {"is", 1}, {"isn't", 1}, {"it", 1},
    {"its", 1}, {"itself", 1}, {"just", 1}, {"keep", 1}, {"kept", 1}, {"kids", 1}, {"last", 1},
    {"least", 1}, {"left", 1}, {"less", 1}, {"let", 1}, {"like", 1}, {"likes", 1}, {"live", 1},
    {"lived", 1}, {"lives", 1}, {"living", 1}, {"made", 1}, {"make", 1}, {"makes", 1}, {"maybe", 1},
    {"me", 1}, {"meet", 1}, {"meets", 1}, {"met", 1}, {"might", 1}, {"minus", 1}, {"more", 1},
    {"most", 1}, {"moved", 1}, {"mr", 1}, {"mrs", 1}, {"ms", 1}, {"much", 1}, {"must", 1},
    {"my", 1}, {"myself", 1}, {"nearly", 1}, {"need", 1}, {"needs", 1}, {"never", 1}, {"next", 1},
    {"no", 1}, {"none", 1}, {"nor", 1}, {"not", 1}, {"now", 1}, {"of", 1}, {"off", 1}, {"often", 1},
    {"ok", 1}, {"okay", 1}, {"on", 1}, {"once", 1}, {"only", 1}, {"onto", 1}, {"or", 1},
    {"other", 1}, {"our", 1}, {"ours", 1}, {"out", 1}, {"over", 1}, {"own", 1}, {"per", 1},
    {"please", 1}, {"plus", 1}, {"put", 1}, {"ran", 1}, {"really", 1}, {"said", 1}, {"same", 1},
    {"saw", 1}, {"say", 1}, {"says", 1}, {"see", 1}, {"seeing", 1}, {"seen", 1}, {"sees", 1},
    {"she", 1}, {"should", 1}, {"since", 1}, {"so", 1}, {"some", 1}, {"still", 1}, {"such", 1},
    {"sure", 1}, {"take", 1}, {"takes", 1}, {"taking", 1}, {"tell", 1}, {"tells", 1}, {"than", 1},
    {"that", 1}, {"the", 1}, {"their", 1}, {"theirs", 1}, {"them", 1}, {"then", 1}, {"there", 1},
    {"these", 1}, {"they", 1}, {"think", 1}, {"thinks", 1}, {"this", 1}, {"those", 1},
    {"though", 1}, {"thought", 1}, {"through", 1}, {"thus", 1}, {"till", 1}, {"to", 1},
    {"today", 1}, {"together", 1}, {"told", 1}, {"tomorrow", 1}, {"tonight", 1}, {"too", 1},
    {"took", 1}, {"toward", 1}, {"towards", 1}, {"under", 1}, {"until", 1}, {"up", 1}, {"upon", 1},
    {"us", 1}, {"use", 1}, {"used", 1}, {"using", 1}, {"versus", 1}, {"very", 1}, {"vs", 1},
    {"walk", 1}, {"walked", 1}, {"want", 1}, {"wanted", 1}, {"wants", 1}, {"was", 1}, {"wasn't", 1},
    {"we", 1}, {"well", 1}, {"went", 1}, {"were", 1}, {"what", 1}, {"when", 1}, {"where", 1},
    {"whether", 1}, {"which", 1}, {"while", 1}, {"who", 1}, {"whom", 1}, {"whose", 1}, {"why", 1},
    {"will", 1}, {"with", 1}, {"within", 1}, {"without", 1}, {"won't", 1}, {"work", 1},
    {"worked", 1}, {"works", 1}, {"would", 1}, {"year", 1}, {"years", 1}, {"yes", 1},
    {"yesterday", 1}, {"yet", 1}, {"you", 1}, {"your", 1}, {"yours", 1},
};
/* clang-format on */
const struct word_table plain_words_grammatical = WORD_TABLE(grammatical);

/* clang-format off */
static const struct word_entry following[] = {
    {"a", 1}, {"about", 1}, {"after", 1}, {"again", 1}, {"all", 1}, {"already", 1}, {"also", 1},
    {"although", 1}, {"an", 1}, {"and", 1}, {"any", 1}, {"apt", 1}, {"are", 1}, {"around", 1},
    {"as", 1}, {"at", 1}, {"because", 1}, {"before", 1}, {"between", 1}, {"but", 1}, {"by", 1},
    {"can", 1}, {"could", 1}, {"did", 1}, {"do", 1}, {"does", 1}, {"during", 1}, {"for", 1},
    {"from", 1}, {"had", 1}, {"has", 1}, {"have", 1}, {"he", 1}, {"her", 1},
    {"here", 1}, {"his", 1}, {"how", 1}, {"however", 1}, {"i", 1}, {"i'd", 1}, {"i'll", 1},
    {"i'm", 1}, {"i've", 1}, {"if", 1}, {"im", 1}, {"in", 1}, {"into", 1}, {"is", 1}, {"isn't", 1},
    {"it", 1}, {"just", 1}, {"last", 1}, {"may", 1}, {"might", 1}, {"must", 1},
    {"my", 1}, {"near", 1}, {"next", 1}, {"no", 1}, {"not", 1}, {"now", 1}, {"of", 1}, {"on", 1},
    {"only", 1}, {"or", 1}, {"our", 1}, {"please", 1}, {"plus", 1}, {"she", 1},
    {"should", 1}, {"since", 1}, {"so", 1}, {"still", 1}, {"suite", 1}, {"thank", 1}, {"thanks", 1},
    {"that", 1}, {"the", 1}, {"their", 1}, {"then", 1}, {"there", 1}, {"these", 1}, {"they", 1},
    {"this", 1}, {"those", 1}, {"though", 1}, {"till", 1}, {"to", 1}, {"today", 1}, {"tomorrow", 1},
    {"tonight", 1}, {"too", 1}, {"unit", 1}, {"until", 1}, {"was", 1}, {"wasn't", 1}, {"we", 1},
    {"were", 1}, {"what", 1}, {"when", 1}, {"where", 1}, {"which", 1}, {"while", 1}, {"who", 1},
    {"why", 1}, {"will", 1}, {"with", 1}, {"without", 1}, {"would", 1}, {"yesterday", 1},
    {"you", 1}, {"your", 1},
};
/* clang-format on */
const struct word_table plain_words_following = WORD_TABLE(following);

bool plain_words_unit_follows(struct cursor *cursor, uint32_t index)
{
    if (glance_mark(cursor, index, "%") != '\0') {
        return true;
    }
    uint32_t next = glance_spaces(cursor, index);
    if (next == index && glance_mark(cursor, index, "-") != '\0') {
        next++;
    }
    return next != index
           && (glance_word(cursor, next, &plain_words_unit) != 0
               || glance_mark(cursor, next, "%") != '\0');
}

bool plain_words_sentence_follows(struct cursor *cursor, uint32_t index)
{
    const uint32_t next = glance_spaces(cursor, index);
    const struct lexeme *lexeme = cursor_lexeme(cursor, next);
    if (!lexeme || (lexeme->class != LEXEME_WORD && lexeme->class != LEXEME_MIXED)) {
        return true;
    }
    return next != index && glance_word(cursor, next, &plain_words_following) != 0;
}
