"""Many streams of two clinics at once: every answer must equal its answer alone."""
import concurrent.futures
import json

from conftest import ROOT

STREAMS = 64


def questions():
    prompts = json.loads((ROOT / "demo/prompts.json").read_text())["prompts"]
    return [p["messages"] for p in prompts]


def answer(server, tenant, number):
    """One streamed answer with its own prompt, seed and temperature."""
    messages = questions()
    arguments = {"model": server.model, "messages": messages[number % len(messages)],
                 "max_tokens": 24 + number % 17, "seed": number, "stream": True,
                 "temperature": 0 if number % 2 else 0.9, "top_p": 1 if number % 3 else 0.8}
    text, finish = "", None
    for chunk in server.client(tenant=tenant).chat.completions.create(**arguments):
        text += chunk.choices[0].delta.content or ""
        finish = chunk.choices[0].finish_reason or finish
    return text, finish


def test_answers_do_not_depend_on_batch_mates(server):
    alone = [answer(server, 0, number) for number in range(STREAMS)]
    assert len({text for text, _ in alone}) > 20
    with concurrent.futures.ThreadPoolExecutor(STREAMS) as pool:
        together = list(pool.map(lambda number: answer(server, number % 2, number), range(STREAMS)))
    different = [n for n in range(STREAMS) if alone[n] != together[n]]
    assert not different, f"answers {different} changed in company"


def test_health_answers_while_every_place_is_taken(server):
    with concurrent.futures.ThreadPoolExecutor(STREAMS) as pool:
        running = [pool.submit(answer, server, n % 2, n) for n in range(STREAMS)]
        seen = [server.request("GET", "/healthz")[0] for _ in range(20)]
        assert server.metric("ward_kv_pages") > 0
        assert seen == [200] * 20
        assert all(r.result()[1] in ("stop", "length") for r in running)
