#!/usr/bin/env python3
"""Greedy answers of one model on the GPU and on the CPU: equal, or parted at a near tie.

Usage: greedy.py WARD MODEL_DIRECTORY

Where ids part, each side's token must be among the other's top five and within NEAR_TIE of its best
log-probability; what follows is not compared. Exit 1 when that does not hold.
"""
import json
import pathlib
import subprocess
import sys

TOKENS, NEAR_TIE = 64, 0.1  # bf16 activations against fp32
PROMPTS = json.loads((pathlib.Path(__file__).parents[2] / "demo/prompts.json").read_text())["prompts"]


def generate(ward, model, device, prompt):
    out = subprocess.run([ward, "generate", "-m", model, "-p", prompt, "-n", str(TOKENS), "--temp", "0",
                          "--device", device, "--json"], capture_output=True, text=True, check=True)
    return json.loads(out.stdout)


def is_near_tie(tops, mine, other):
    mine, other = str(mine), str(other)
    return mine in tops and other in tops and abs(tops[mine] - tops[other]) <= NEAR_TIE


def compare(cpu, gpu):
    """The number of equal ids, and whether the first difference is a near tie (or there is none)."""
    for i, (a, b) in enumerate(zip(cpu["ids"], gpu["ids"])):
        if a != b:
            return i, is_near_tie(cpu["top_logprobs"][i], a, b) \
                and is_near_tie(gpu["top_logprobs"][i], b, a)
    return min(len(cpu["ids"]), len(gpu["ids"])), len(cpu["ids"]) == len(gpu["ids"])


def main():
    ward, model = sys.argv[1:3]
    failed = 0
    for entry in PROMPTS[:8]:
        prompt = entry["messages"][-1]["content"]
        equal, is_good = compare(*(generate(ward, model, device, prompt) for device in ("cpu", "cuda")))
        failed += not is_good
        print(f"{equal:4} ids equal, {'then a near tie or the end' if is_good else 'then they PART'}")
    return failed > 0


sys.exit(main())
