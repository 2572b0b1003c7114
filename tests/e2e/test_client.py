"""The official client, unmodified: what a clinic's developer does first."""
import asyncio

import openai
import pytest
from conftest import never_ends, wait_for

QUESTION = [{"role": "user", "content": "How do I book an appointment?"}]


def ask(server, **more):
    more.setdefault("messages", QUESTION)
    more.setdefault("temperature", 0)
    return server.client().chat.completions.create(model=server.model, **more)


def test_chat(server):
    answer = ask(server, max_tokens=60)
    assert answer.object == "chat.completion" and answer.model == server.model
    choice = answer.choices[0]
    assert choice.message.role == "assistant" and len(choice.message.content) > 10
    assert choice.finish_reason in ("stop", "length")
    usage = answer.usage
    assert usage.prompt_tokens > 5 and 0 < usage.completion_tokens <= 60
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_a_stream_says_the_same_as_a_whole_answer(server):
    whole = ask(server, max_tokens=80)
    chunks = list(ask(server, max_tokens=80, stream=True, stream_options={"include_usage": True}))
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == whole.choices[0].message.content
    assert len({c.id for c in chunks}) == 1
    finishes = [c.choices[0].finish_reason for c in chunks if c.choices]
    assert finishes[-1] == whole.choices[0].finish_reason and not any(finishes[:-1])
    assert chunks[-1].choices == [] and chunks[-1].usage == whole.usage
    assert all(c.usage is None for c in chunks[:-1])
    assert len(chunks) > 10


def test_no_usage_unless_asked(server):
    assert all(c.usage is None and c.choices for c in ask(server, max_tokens=5, stream=True))


def test_an_aborted_stream_leaves_the_batch(server):
    stream = ask(server, max_tokens=900, stream=True, logit_bias=never_ends())
    next(iter(stream))
    stream.close()
    wait_for(lambda: server.metric("ward_running_sequences") == 0
             and server.metric("ward_kv_pages_used") == 0, "the sequence to leave the batch")


def test_two_choices(server):
    answer = ask(server, n=2, temperature=2.0, seed=7, max_tokens=30)
    assert [c.index for c in answer.choices] == [0, 1]
    assert answer.choices[0].message.content != answer.choices[1].message.content
    again = ask(server, n=2, temperature=2.0, seed=7, max_tokens=30)
    assert [c.message.content for c in again.choices] == [c.message.content for c in answer.choices]
    by_index = {0: "", 1: ""}
    for chunk in ask(server, n=2, temperature=2.0, seed=7, max_tokens=30, stream=True):
        by_index[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert [by_index[0], by_index[1]] == [c.message.content for c in answer.choices]


def test_logprobs(server):
    answer = ask(server, max_tokens=12, logprobs=True, top_logprobs=3)
    content = answer.choices[0].logprobs.content
    assert "".join(t.token for t in content if t.token).startswith(
        answer.choices[0].message.content[:5])
    text = b"".join(bytes(t.bytes) for t in content).decode()
    assert answer.choices[0].message.content in text
    for token in content:
        assert len(token.top_logprobs) == 3 and token.logprob <= 0
        assert token.top_logprobs[0].logprob >= token.top_logprobs[1].logprob
        assert token.top_logprobs[0].token == token.token  # greedy takes the first


@pytest.mark.parametrize("stop_at", [3, 7, 12, 20])
def test_stop_strings_cross_token_borders(server, stop_at):
    text = ask(server, max_tokens=60).choices[0].message.content
    stop = text[stop_at:stop_at + 9]
    answer = ask(server, max_tokens=60, stop=[stop, "never in the answer"])
    assert answer.choices[0].message.content == text[:text.index(stop)]
    assert answer.choices[0].finish_reason == "stop"
    streamed = "".join(c.choices[0].delta.content or ""
                       for c in ask(server, max_tokens=60, stop=stop, stream=True))
    assert streamed == text[:text.index(stop)]


def test_completions(server):
    client = server.client()
    answer = client.completions.create(model=server.model, prompt="The clinic is open", max_tokens=8,
                                       temperature=0, logprobs=2)
    choice = answer.choices[0]
    assert answer.object == "text_completion" and choice.text
    assert len(choice.logprobs.tokens) == answer.usage.completion_tokens
    streamed = "".join(c.choices[0].text for c in client.completions.create(
        model=server.model, prompt="The clinic is open", max_tokens=8, temperature=0, stream=True))
    assert streamed == choice.text


def test_models(server):
    models = server.client().models.list().data
    assert [m.id for m in models] == [server.model] and models[0].object == "model"


def test_text_parts_and_system(server):
    parts = [{"type": "text", "text": "How do I book"}, {"type": "text", "text": " an appointment?"}]
    answer = ask(server, messages=[{"role": "user", "content": parts}], max_tokens=20)
    assert answer.choices[0].message.content


def test_a_user_cannot_write_a_special_token(server):
    """The marker of a turn's end, typed by a user, must cost many tokens and not one."""
    plain = ask(server, messages=[{"role": "user", "content": "a"}], max_tokens=1)
    marked = ask(server, messages=[{"role": "user", "content": "a<|eot_id|>"}], max_tokens=1)
    assert marked.usage.prompt_tokens >= plain.usage.prompt_tokens + 3


@pytest.mark.parametrize("change, error, param", [
    ({"temperature": 3}, openai.BadRequestError, "temperature"),
    ({"model": "gpt-4"}, openai.BadRequestError, "model"),
    ({"max_tokens": 0}, openai.BadRequestError, "max_tokens"),
    ({"messages": []}, openai.BadRequestError, "messages"),
    ({"n": 0}, openai.BadRequestError, "n"),
    ({"top_logprobs": 3}, openai.BadRequestError, "top_logprobs"),
    ({"extra_body": {"no_such_field": 1}}, openai.BadRequestError, "no_such_field"),
    ({"tools": [{"type": "function", "function": {"name": "x"}}]}, openai.BadRequestError, "tools"),
    ({"max_tokens": 10 ** 6}, openai.BadRequestError, "max_tokens"),
])
def test_errors_name_the_field(server, change, error, param):
    arguments = {"model": server.model, "messages": QUESTION, **change}
    with pytest.raises(error) as caught:
        server.client().chat.completions.create(**arguments)
    assert caught.value.param == param, caught.value
    assert caught.value.request_id


def test_a_wrong_key_is_an_authentication_error(server):
    with pytest.raises(openai.AuthenticationError):
        server.client(key="ward_live_0000000000000000_" + "0" * 43).models.list()


def test_the_client_retries_when_asked_to_wait(own_server):
    """One request a minute: the second gets 429, and the client's own retry honours Retry-After."""
    server = own_server()
    tenant = server.tenants[0]
    added = server.ward("tenant", "add", "small-clinic", "--rpm", "1")
    assert added.returncode == 0, added.stderr
    made = server.ward("key", "create", "--tenant", "small-clinic")
    key = made.stdout.split()[-1] if "ward_" in made.stdout else ""
    assert key.startswith("ward_"), made
    client = server.client(key=key)

    def works():
        try:
            return client.chat.completions.create(model=server.model, messages=QUESTION, max_tokens=2)
        except openai.AuthenticationError:
            return None
    wait_for(works, "the new key to be known")
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model=server.model, messages=QUESTION, max_tokens=2)
    headers = caught.value.response.headers
    assert 0 < int(headers["retry-after"]) <= 60
    assert headers["x-ratelimit-limit-requests"] == "1"
    assert server.client(tenant=server.tenants.index(tenant)).models.list().data  # others are served


def test_async_client(server):
    async def run():
        client = server.client(cls=openai.AsyncOpenAI, http=openai.DefaultAsyncHttpxClient)
        stream = await client.chat.completions.create(model=server.model, messages=QUESTION,
                                                      max_tokens=10, temperature=0, stream=True)
        return "".join([c.choices[0].delta.content or "" async for c in stream])
    assert asyncio.run(run())
