#!/usr/bin/env python3
"""The rows of bench_gpu by PyTorch: cuBLAS, scaled_dot_product_attention, FlashInfer, transformers.

Usage: peers.py [--seconds N] > FILE     lines "key<tab>figure", in the row's unit, as they are measured

What is not installed is left out with a line on stderr. Stops to begin new rows after N seconds.
"""
import argparse
import statistics
import sys
import time

import torch
import torch.nn.functional as F

HEADS, KV_HEADS, HEAD_DIM, PAGE_TOKENS, VOCABULARY = 32, 8, 128, 16, 128256
SHAPES = {"qkv": (4096, 6144), "o": (4096, 4096), "gate_up": (4096, 28672), "down": (14336, 4096),
          "lm_head": (4096, 128256)}
ROTATED_BYTES = 512 << 20


def report(key, figure):
    print(f"{key}\t{figure:.6g}", flush=True)


def seconds_of(turn, turns):
    """The median of replays of a graph of `turns` calls, for one call."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        turn(0)
        turn(1)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        for i in range(turns):
            turn(i)
    times = []
    for _ in range(6):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        graph.replay()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end) / 1e3 / turns)
    return statistics.median(times[1:])


def random(*shape, dtype=torch.bfloat16):
    return torch.randn(*shape, device="cuda", dtype=torch.bfloat16).to(dtype)


# ---- ops -----------------------------------------------------------------------------------------

def matmul(name, rows, in_count, out_count):
    copies = max(1, min(24, ROTATED_BYTES // (in_count * out_count * 2) + 1))
    weights = [random(out_count, in_count) for _ in range(copies)]
    x = random(rows, in_count)
    seconds = seconds_of(lambda i: F.linear(x, weights[i % copies]), 24)
    report(f"matmul {name} x {rows} bf16", 1e6 * seconds)
    if rows % 16:
        return  # the library's fp8 product wants multiples of 16
    narrow = [w.to(torch.float8_e4m3fn) for w in weights]
    x8, one = x.to(torch.float8_e4m3fn), torch.ones((), device="cuda")
    seconds = seconds_of(lambda i: torch._scaled_mm(x8, narrow[i % copies].t(), one, one,
                                                    out_dtype=torch.bfloat16), 24)
    report(f"matmul {name} x {rows} fp8", 1e6 * seconds)


def decode(batch, context):
    token_bytes = KV_HEADS * HEAD_DIM * 2 * 2
    copies = max(1, min(16, (1 << 30) // (batch * context * token_bytes) + 1))
    if batch * context * token_bytes > torch.cuda.mem_get_info()[0] // 3:
        return
    q = random(batch, HEADS, 1, HEAD_DIM)
    kv = [(random(batch, KV_HEADS, context, HEAD_DIM), random(batch, KV_HEADS, context, HEAD_DIM))
          for _ in range(copies)]
    seconds = seconds_of(lambda i: F.scaled_dot_product_attention(
        q, *kv[i % copies], enable_gqa=True), 8)
    report(f"attention decode {batch} x {context} bf16", 1e6 * seconds)


def prefill(tokens):
    q = random(1, HEADS, tokens, HEAD_DIM)
    k, v = (random(1, KV_HEADS, tokens, HEAD_DIM) for _ in range(2))
    seconds = seconds_of(lambda _: F.scaled_dot_product_attention(
        q, k, v, is_causal=True, enable_gqa=True), 8)
    report(f"attention prefill {tokens}", 1e6 * seconds)
    operations = 4 * HEAD_DIM * HEADS * tokens * (tokens + 1) / 2
    report(f"attention prefill {tokens} rate", operations / seconds / 1e12)


def flashinfer_decode(batch, context):
    """Printed after SDPA's, so that the table takes this one."""
    import flashinfer
    pages = (context + PAGE_TOKENS - 1) // PAGE_TOKENS
    work = torch.empty(256 << 20, dtype=torch.uint8, device="cuda")
    wrapper = flashinfer.BatchDecodeWithPagedKVCacheWrapper(work, "NHD")
    starts = torch.arange(batch + 1, dtype=torch.int32, device="cuda") * pages
    indices = torch.randperm(batch * pages, device="cuda").int()
    last = torch.full((batch,), (context - 1) % PAGE_TOKENS + 1, dtype=torch.int32, device="cuda")
    wrapper.plan(starts, indices, last, HEADS, KV_HEADS, HEAD_DIM, PAGE_TOKENS,
                 data_type=torch.bfloat16)
    q = random(batch, HEADS, HEAD_DIM)
    copies = max(1, min(16, (1 << 30) // (batch * context * KV_HEADS * HEAD_DIM * 4) + 1))
    kv = [random(batch * pages, 2, PAGE_TOKENS, KV_HEADS, HEAD_DIM) for _ in range(copies)]
    report(f"attention decode {batch} x {context} bf16",
           1e6 * seconds_of(lambda i: wrapper.run(q, kv[i % copies]), 8))


def sample(rows):
    logits = torch.randn(4, rows, VOCABULARY, device="cuda")

    def turn(i):
        values, ids = torch.topk(logits[i % 4] / 0.8, 50)
        weights = values.softmax(-1)
        weights = weights.masked_fill(weights.cumsum(-1) - weights > 0.95, 0)
        noise = torch.empty_like(weights).exponential_()
        return ids.gather(-1, (weights / noise).argmax(-1, keepdim=True))

    report(f"sample {rows} x {VOCABULARY}", 1e6 * seconds_of(turn, 20))


# ---- a whole model -------------------------------------------------------------------------------

def generate():
    """transformers, static cache: one sequence, and the first token of a prompt of 2,048."""
    from transformers import LlamaConfig, LlamaForCausalLM
    config = LlamaConfig(vocab_size=VOCABULARY, hidden_size=4096, intermediate_size=14336,
                         num_hidden_layers=32, num_attention_heads=HEADS,
                         num_key_value_heads=KV_HEADS, max_position_embeddings=8192,
                         rope_theta=500000.0, dtype="bfloat16")
    with torch.device("cuda"):
        torch.set_default_dtype(torch.bfloat16)
        model = LlamaForCausalLM(config).eval()
    options = dict(do_sample=False, cache_implementation="static", eos_token_id=None,
                   pad_token_id=0)

    def seconds(prompt_tokens, new_tokens):
        ids = torch.randint(0, VOCABULARY, (1, prompt_tokens), device="cuda")
        times = []
        for _ in range(3):
            torch.cuda.synchronize()
            start = time.perf_counter()
            model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=new_tokens,
                           min_new_tokens=new_tokens, **options)
            torch.cuda.synchronize()
            times.append(time.perf_counter() - start)
        return min(times)

    with torch.inference_mode():
        report("engine first token 2048", 1e3 * seconds(2048, 1))
        report("engine decode 1", 64 / (seconds(32, 96) - seconds(32, 32)))


def rows():
    for name, (in_count, out_count) in SHAPES.items():
        for count in (1, 8, 16, 64, 256, 2048):
            yield matmul, (name, count, in_count, out_count)
    for batch in (1, 16, 64, 256):
        for context in (512, 2048, 8192, 32768):
            yield decode, (batch, context)
            yield flashinfer_decode, (batch, context)
    for tokens in (2048, 8192, 16384):
        yield prefill, (tokens,)
    for count in (1, 64, 256):
        yield sample, (count,)
    yield generate, ()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=150)
    limit = time.monotonic() + parser.parse_args().seconds
    absent = set()
    torch.manual_seed(1)
    for function, arguments in rows():
        if time.monotonic() > limit:
            print(f"peers: no time left for {function.__name__} {arguments}", file=sys.stderr)
            continue
        if function in absent:
            continue
        try:
            function(*arguments)
        except ImportError as error:
            absent.add(function)
            print(f"peers: {function.__name__} left out: {error}", file=sys.stderr)
        except Exception as error:  # one row that a library refuses does not end the others
            print(f"peers: {function.__name__} {arguments}: {str(error)[:200]}", file=sys.stderr)
        torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
