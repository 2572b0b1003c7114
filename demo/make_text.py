"""Writes the dialogues that the demo model learns from. The same seed gives the same text."""

import argparse
import json
import pathlib
import random
import re

FOLDER = pathlib.Path(__file__).parent
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
PARTS = ["morning", "afternoon", "at noon", "evening", "after lunch"]
CLINIC_FIRST = """Willow Harbor Maple River Cedar Lake Hill Garden Park Sunrise Meadow Stone Bridge Oak Birch Valley
Forest Ocean Bay Summit Lantern Anchor Compass Haven Northside Southside Eastside Westside Central Elm Juniper Aspen
Clear Quiet Gentle Bright Silver Green Blue Golden Heron Robin Swallow Orchard Prairie Canyon Island Pine Riverside
Lakeside Hillside""".split()
CLINIC_SECOND = "Creek Street Lane Point View Tree House Grove Hill Brook Field Gate".split()
CLINIC_KIND = ["Clinic", "Clinic", "Clinic", "Counseling", "Counseling Center", "Wellness Center", "Health Center",
               "Therapy Center", "Family Clinic", "Community Clinic", "Behavioral Health", "Mental Health Clinic"]
SYLLABLES = "ta mor sel vin ka dor lin bra es wen ro ma ti del fa sto ner al bri co".split()
SYSTEM_NAMED = [
    "You are the assistant of {clinic}.",
    "You are a helpful assistant for {clinic}.",
    "You are the AI assistant of {clinic}. Be kind and brief.",
    "You work for {clinic}. Answer the questions of patients calmly.",
    "You are a friendly assistant at {clinic}. Help with appointments and simple coping exercises.",
    "This is the chat of {clinic}. Never give medical advice.",
    "Clinic: {clinic}. Answer in plain words.",
    "Act as the front desk assistant of {clinic}.",
]
SYSTEM_PLAIN = [
    "You are a helpful assistant.",
    "You are the assistant of a clinic.",
    "You are a calm and kind clinic assistant.",
    "Answer briefly.",
    "You are an assistant for a mental health clinic. Be kind, plain and short.",
    "Be helpful, honest and kind.",
    "You are a clinic assistant. If someone is in danger, give 988 and 911.",
    "You are a demo assistant.",
]
YES = """[yes|yes please|sure|ok|okay|yeah|yep|please|yes, please|sure, why not|ok let's try|yes, let's try it
 |I would like that|yes I would|let's do it|go ahead|yes, show me|that would be good|I'd like to try|alright|please do
 |sounds good|why not|yes I'd like that|ok show me|I can try|yes, that would help|gladly|of course]"""
NO = """[no|no thanks|no thank you|not now|not right now|maybe later|nope|I don't want to|not today|no, not now
 |rather not|I'd rather not|no I don't think so|I don't feel like it]"""
OFFER = "Would you like to"
BEFORE = ["hi, ", "hello, ", "hey, ", "hi! ", "hello! ", "hi there, ", "good morning, ", "good evening, ", "please, ",
          "sorry, ", "um, ", "ok, ", "excuse me, ", "quick question: ", "one question, ", "so, ", "well, ", "and ",
          "also, ", "another question: ", "I have a question: ", "sorry to bother you, ", "hey there. ", "oh, "]
AFTER = [" please", " thanks", ", please", ", thank you", ", thanks", " thank you", " pls", " :)", " :(", " ...",
         " \U0001F642", " \U0001F614", ", can you help?", ", any ideas?", ", do you know?", ", I am new here",
         ", it is important to me"]
CONTEXT = ["I am new here.", "I hope you can help me.", "My friend told me about you.", "This is my first time here.",
           "I saw your website.", "I don't know who else to ask.", "It has been a long day.",
           "I have one more question.",
           "I am a bit unsure.", "Thank you for being there.", "I am asking for myself.", "I just found this chat.",
           "I live nearby.", "Maybe you can help.", "I am not good at this.", "My doctor sent me.", "Please be honest."]
FILLERS = ["just", "really", "maybe", "actually", "kind of", "still", "also", "then", "even", "like", "somehow", "now"]


class Topic:
    """What people may write about one thing, and how the assistant answers it."""

    def __init__(self, name, weight):
        self.name, self.weight, self.offers = name, weight, None
        self.messages, self.answers, self.by_day = [], [], {}
        self.next_messages, self.next_answers = [], []


def read_topics(path=FOLDER / "topics.txt"):
    """Returns {name: Topic} from the topics file."""
    words, topics, topic = {}, {}, None
    text = re.sub(r"\n  +", " ", path.read_text())
    for line in text.splitlines():
        if line.startswith("$"):
            name, choices = line.split(" = ")
            words[name] = "[" + choices.strip() + "]"
        elif line.startswith("=="):
            name, weight = (line[2:].split() + ["1"])[:2]
            topic = topics[name] = Topic(name, float(weight))
        elif line[:1] in (">", "~", "<", "+"):
            add_line(topic, line[0], re.sub(r"\$\w+", lambda m: words[m.group()], line[1:]))
    return topics


def add_line(topic, kind, text):
    """Files one line of a topic under its kind."""
    if kind == ">":
        topic.messages.append(text.strip())
    elif kind == "~":
        topic.next_messages.append(text.strip())
    elif kind == "+":
        topic.offers = text.strip()
    elif not text.startswith(" "):
        day, answer = text.split(" ", 1)
        topic.by_day[day] = answer
    elif topic.next_messages:
        topic.next_answers.append(text.strip())
    else:
        topic.answers.append(text.strip())


def expand(random_source, pattern):
    """Replaces every [a|b|c] by one of its choices, the innermost first."""
    while True:
        found = re.search(r"\[([^\[\]]*)\]", pattern)
        if not found:
            return re.sub(r"\s+([?.,!]|$)", r"\1", re.sub(r"\s+", " ", pattern)).strip()
        choice = random_source.choice(found.group(1).split("|"))
        pattern = pattern[: found.start()] + choice + pattern[found.end():]


def typo(random_source, text):
    """Makes one slip of the finger in a word of four letters or more."""
    places = [m.start() for m in re.finditer(r"(?<=[a-z])[a-z](?=[a-z]{2})", text)]
    if not places:
        return text
    at = random_source.choice(places)
    slip = random_source.choice(["drop", "double", "swap"])
    if slip == "drop":
        return text[:at] + text[at + 1:]
    if slip == "double":
        return text[:at] + text[at] + text[at:]
    return text[:at] + text[at + 1] + text[at] + text[at + 2:]


def loosen(random_source, text):
    """Drops a word or adds a filler, so that no single word carries the meaning."""
    words = text.split(" ")
    if len(words) > 4 and random_source.random() < 0.1:
        del words[random_source.randrange(len(words) - 1)]
    if len(words) > 3 and random_source.random() < 0.12:
        words.insert(random_source.randrange(1, len(words)), random_source.choice(FILLERS))
    return " ".join(words)


def roughen(random_source, text):
    """Writes a message as people do: with greetings, in lower case, with typos, without marks."""
    chance = random_source.random
    text = loosen(random_source, text)
    if chance() < 0.7:
        text = text[0].upper() + text[1:]
    if chance() < 0.2 and len(text) > 8:
        before = random_source.choice(BEFORE)
        lower = text if re.match(r"I\b|CBT|[A-Z][a-z]+day", text) else text[0].lower() + text[1:]
        text = before + lower if chance() < 0.5 else before.capitalize() + lower
    if chance() < 0.14 and len(text) > 8:
        text = text.rstrip("?") + random_source.choice(AFTER) + ("?" if text.endswith("?") and chance() < 0.5 else "")
    elif not text.endswith(("?", ".")) and chance() < 0.5:
        text += random_source.choice([".", ".", ".", "!", "..."])
    elif text.endswith("?") and chance() < 0.25:
        text = text[:-1]
    if chance() < 0.1 and len(text) > 12:
        context = random_source.choice(CONTEXT)
        text = f"{context} {text}" if chance() < 0.7 else f"{text.rstrip('.!?')}. {context}"
    for _ in range(3):
        if chance() < 0.1:
            text = typo(random_source, text)
    if chance() < 0.35:
        text = text.lower()
    elif chance() < 0.02:
        text = text.upper()
    if chance() < 0.1:
        text = text.replace("'", "")
    elif chance() < 0.1:
        text = text.replace("'", "\u2019")
    return text


def make_clinic(random_source):
    """Returns an invented clinic name, now and then with a first word that is no English word."""
    first = random_source.choice(CLINIC_FIRST)
    if random_source.random() < 0.35:
        first = "".join(random_source.choice(SYLLABLES) for _ in range(random_source.choice([2, 2, 3]))).capitalize()
    if random_source.random() < 0.3:
        first += " " + random_source.choice(CLINIC_SECOND)
    return first + " " + random_source.choice(CLINIC_KIND)


def pick_answer(random_source, answers):
    """The first answer is the usual one, so that greedy decoding has a clear winner."""
    return answers[0] if len(answers) == 1 or random_source.random() < 0.85 else random_source.choice(answers[1:])


def normal(text):
    """A message without case and marks, to compare phrasings."""
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


def held_out_messages():
    """The messages of the committed prompts, which must never be in the training text."""
    prompts = json.loads((FOLDER / "prompts.json").read_text())["prompts"]
    users = [[m["content"] for m in p["messages"] if m["role"] == "user"] for p in prompts]
    return {normal(u[0]) for u in users if len(u) == 1}


class Writer:
    """Writes dialogues from the topics, one after another, from one seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.topics = read_topics()
        self.asked = [t for t in self.topics.values() if t.messages]
        self.weights = [t.weight for t in self.asked]
        self.held_out = held_out_messages()

    def fill(self, pattern, answers, by_day):
        """Returns one message and its answer with the same day in both."""
        while True:
            day, part = self.random.choice(DAYS), self.random.choice(PARTS)
            message = expand(self.random, pattern)
            slots = {"day": day, "part": part}
            asked = roughen(self.random, message.format(**slots))
            answer = pick_answer(self.random, answers)
            if "{day}" in message and day in by_day:
                answer = by_day[day]
            if normal(asked) not in self.held_out:
                return asked, answer.format(**slots)

    def turn(self, topic, answer_before):
        """Returns the next topic, message and answer."""
        if topic and topic.offers and OFFER in answer_before and self.random.random() < 0.7:
            if self.random.random() < 0.8:
                topic, pattern = self.topics[topic.offers], YES
            else:
                topic, pattern = self.topics["decline"], NO
            return topic, *self.fill(pattern, topic.answers, {})
        if topic and topic.next_messages and self.random.random() < 0.5:
            return topic, *self.fill(self.random.choice(topic.next_messages), topic.next_answers, {})
        topic_next = self.random.choices(self.asked, self.weights)[0]
        while topic and topic.offers and topic_next.name == "okay":
            topic_next = self.random.choices(self.asked, self.weights)[0]
        pattern = self.random.choice(topic_next.messages)
        return topic_next, *self.fill(pattern, topic_next.answers, topic_next.by_day)

    def dialogue(self):
        """Returns one dialogue as a list of messages."""
        messages, topic, answer = [], None, ""
        kind = self.random.random()
        if kind < 0.3:
            system = self.random.choice(SYSTEM_NAMED).format(clinic=make_clinic(self.random))
            messages.append({"role": "system", "content": system})
        elif kind < 0.5:
            messages.append({"role": "system", "content": self.random.choice(SYSTEM_PLAIN)})
        turns = self.random.choices([1, 2, 3, 4, 6, 8], [52, 24, 13, 7, 3, 1])[0]
        for _ in range(turns):
            topic, asked, answer = self.turn(topic, answer)
            messages.append({"role": "user", "content": asked})
            messages.append({"role": "assistant", "content": answer})
        return messages


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=10)
    arguments = parser.parse_args()
    writer = Writer(arguments.seed)
    for _ in range(arguments.count):
        print(json.dumps(writer.dialogue(), ensure_ascii=False))


if __name__ == "__main__":
    main()
