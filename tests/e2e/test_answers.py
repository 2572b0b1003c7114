"""The demo model at temperature 0: the committed prompts get the committed answers."""
import json

import pytest
from conftest import ROOT

PROMPTS = json.loads((ROOT / "demo/prompts.json").read_text())["prompts"]


@pytest.mark.parametrize("number", range(len(PROMPTS)))
def test_answer(server, number):
    prompt = PROMPTS[number]
    answer = server.client().chat.completions.create(
        model=server.model, messages=prompt["messages"], temperature=0, max_tokens=200)
    text = answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert text == prompt["answer"]
    assert any(word in text for word in prompt["must_contain_any"])
    assert text[0].isupper() and text.rstrip()[-1] in ".!?"
