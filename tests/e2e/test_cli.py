"""The commands as the outside contract gives them: machine output, exit codes, one-line errors."""
import json
import math
import struct
import subprocess

import pytest
from conftest import BINARY, DATA, DEMO_MODEL, PATIENCE_S

STORIES = DATA / "models/stories260K"


def ward(*arguments, stdin=None, text=True):
    return subprocess.run([BINARY, *map(str, arguments)], input=stdin, capture_output=True,
                          text=text, timeout=PATIENCE_S)


def test_help_of_every_command():
    listed = ward("--help")
    assert listed.returncode == 0
    for command in ("demo", "serve", "generate", "logits", "tokenize", "detokenize", "template",
                    "bench", "tenant", "key", "audit", "policy", "doctor"):
        assert f"\n  {command} " in listed.stdout, command
        told = ward(command, "--help")
        assert told.returncode == 0 and told.stdout.startswith("usage: ward " + command), told


@pytest.mark.parametrize("arguments, code", [
    ([], 2), (["no-such"], 2), (["generate"], 2), (["generate", "--no-such"], 2),
    (["generate", "-m", "/no/such/dir", "-p", "x"], 1), (["tokenize"], 2), (["bench", "-b", "x"], 2),
    (["serve", "-c", "/no/such/file"], 1), (["tenant", "frobnicate"], 2), (["key"], 2),
    (["logits", "-m", str(DEMO_MODEL), "--ids", "1,99999999"], 1),
    (["logits", "-m", str(DEMO_MODEL), "--ids", "1,x"], 2),
    (["serve", "extra"], 2), (["demo", "--port", "99999"], 2),
])
def test_wrong_use_is_one_line(arguments, code):
    result = ward(*arguments, stdin="")
    assert result.returncode == code, result
    if arguments:
        assert result.stdout == ""
    assert result.stderr.count("\n") == 1 and result.stderr.startswith("ward: "), result.stderr


def test_generate_json():
    result = ward("generate", "-m", DEMO_MODEL, "-p", "The clinic", "-n", 12, "--json")
    made = json.loads(result.stdout)
    assert set(made) >= {"prompt_ids", "ids", "text", "finish_reason", "top_logprobs"}
    assert 0 < len(made["ids"]) <= 12 and len(made["top_logprobs"]) == len(made["ids"])
    assert made["finish_reason"] in ("stop", "length")
    for token, top in zip(made["ids"], made["top_logprobs"]):
        assert str(token) in top and all(value <= 0 for value in top.values())
    plain = ward("generate", "-m", DEMO_MODEL, "-p", "The clinic", "-n", 12)
    assert plain.stdout.rstrip("\n") in (made["text"], "The clinic" + made["text"])


def test_generate_repeats_with_a_seed():
    runs = [json.loads(ward("generate", "-m", DEMO_MODEL, "-p", "The", "-n", 20, "--temp", 1,
                            "--seed", seed, "--json").stdout)["ids"] for seed in (5, 5, 6)]
    assert runs[0] == runs[1] != runs[2]


def test_logits():
    ids = json.loads(ward("tokenize", "-m", DEMO_MODEL, stdin="The clinic").stdout)
    last = ward("logits", "-m", DEMO_MODEL, "--ids", ",".join(map(str, ids)), text=False).stdout
    every = ward("logits", "-m", DEMO_MODEL, "--ids", ",".join(map(str, ids)), "--all",
                 text=False).stdout
    vocabulary = json.loads((DEMO_MODEL / "config.json").read_text())["vocab_size"]
    assert len(last) == 4 * vocabulary and len(every) == len(last) * len(ids)
    assert every[-len(last):] == last
    assert all(math.isfinite(v) for v in struct.unpack(f"<{vocabulary}f", last))


def test_tokenize_and_back(tmp_path):
    text = "Grüße, a clinic 👋<|eot_id|>\n"
    ids = json.loads(ward("tokenize", "-m", DEMO_MODEL, "--no-special", stdin=text).stdout)
    assert ward("detokenize", "-m", DEMO_MODEL, stdin=json.dumps(ids)).stdout.rstrip("\n") \
        == text.rstrip("\n")
    with_special = json.loads(ward("tokenize", "-m", DEMO_MODEL, stdin=text).stdout)
    assert len(with_special) < len(ids) + 1
    (tmp_path / "t").write_text(text)
    assert json.loads(ward("tokenize", "-m", DEMO_MODEL, "--no-special", "--text-file",
                           tmp_path / "t").stdout) == ids


def test_template(tmp_path):
    messages = [{"role": "user", "content": "Hello"}]
    rendered = ward("template", "-m", DEMO_MODEL, stdin=json.dumps(
        {"messages": messages, "add_generation_prompt": True}))
    assert rendered.returncode == 0 and "Hello" in rendered.stdout
    assert ward("template", "-m", DEMO_MODEL, stdin=json.dumps(messages)).returncode == 0
    (tmp_path / "t.jinja").write_text("{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}")
    assert ward("template", "--file", tmp_path / "t.jinja",
                stdin=json.dumps(messages)).stdout == "[user]Hello"
    (tmp_path / "t.jinja").write_text("{% for i in range(10**9) %}x{% endfor %}")
    endless = ward("template", "--file", tmp_path / "t.jinja", stdin="[]")
    assert endless.returncode == 1 and endless.stderr.count("\n") == 1


def test_bench_json():
    result = ward("bench", "-m", DEMO_MODEL, "-p", 16, "-n", 4, "-b", "1,2", "--json")
    table = json.loads(result.stdout)
    assert {"device", "model_bytes", "read_GBps", "peak_GFLOPs", "rows"} <= set(table)
    assert [row["batch"] for row in table["rows"]] == [1, 2]
    for row in table["rows"]:
        assert {"prefill_tok_s", "decode_tok_s", "decode_GBps", "fraction_of_read",
                "fraction_of_peak"} <= set(row)


@pytest.mark.parametrize("damage, says", [
    (lambda d: (d / "config.json").write_text("{"), "config.json"),
    (lambda d: (d / "config.json").unlink(), "config.json"),
    (lambda d: (d / "model.safetensors").write_bytes(b"\x00" * 4), "model.safetensors"),
    (lambda d: (d / "model.safetensors").unlink(), "model.safetensors"),
    (lambda d: (d / "tokenizer.json").write_text("[]"), "tokenizer.json"),
    (lambda d: (d / "tokenizer.json").write_bytes(b"\xff\xfe"), "tokenizer.json"),
])
def test_a_damaged_model_is_one_line(tmp_path, damage, says):
    for name in DEMO_MODEL.iterdir():
        (tmp_path / name.name).write_bytes(name.read_bytes())
    damage(tmp_path)
    result = ward("generate", "-m", tmp_path, "-p", "x")
    assert result.returncode == 1 and result.stderr.count("\n") == 1 and says in result.stderr, result


def test_tenants_and_keys(tmp_path):
    state = ["--state-dir", tmp_path / "state"]
    assert ward("tenant", "add", "clinic-x", "--rpm", 5, *state).returncode == 0
    again = ward("tenant", "add", "clinic-x", *state)
    assert again.returncode == 1 and "clinic-x" in again.stderr
    assert "clinic-x" in ward("tenant", "list", *state).stdout
    made = ward("key", "create", "--tenant", "clinic-x", *state)
    assert made.returncode == 0 and "ward_" in made.stdout
    secret = made.stdout.split("ward_")[1].split()[0].split("_")[-1]
    for path in (tmp_path / "state").rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes() and path.stat().st_mode & 0o077 == 0
    assert ward("key", "create", "--tenant", "no-such", *state).returncode == 1
    assert ward("tenant", "remove", "clinic-x", *state).returncode == 0


@pytest.mark.skipif(not STORIES.exists(), reason="outside data: set WARD_TEST_DATA")
@pytest.mark.parametrize("variant", ["f32", "sharded"])
def test_the_real_model_agrees_with_other_engines(variant):
    """30 prompts, 96 greedy tokens each, against what three other engines agree on."""
    goldens = json.loads((DATA / "goldens/f32.json").read_text())
    for golden in goldens if variant == "f32" else goldens[:3]:
        made = json.loads(ward("generate", "-m", STORIES / variant, "-p", golden["prompt"], "-n", 96,
                               "--json").stdout)
        assert made["prompt_ids"] == golden["prompt_ids"]
        assert made["ids"] == golden["ids"][:len(made["ids"])] and len(made["ids"]) == 96
        assert made["text"] == golden["text"]
        for top, want in zip(made["top_logprobs"], golden["top5"]):
            for token, value in want:
                assert abs(top[str(token)] - value) < 1e-3
