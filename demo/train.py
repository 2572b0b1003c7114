"""Trains the demo model on the text of make_text.py and writes a Hugging Face directory.

    python demo/train.py --steps N           the same training again, from the seed
    python demo/train.py --minutes M         finds N: the learning rate falls in the last third of M minutes
    python demo/train.py --evaluate          answers demo/prompts.json with demo/model and records the answers
"""

import argparse
import itertools
import json
import pathlib
import random
import time

import safetensors.torch
import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

import make_text

FOLDER = pathlib.Path(__file__).parent
PROMPTS = FOLDER / "prompts.json"
SPECIAL = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|pad|>"]
SPLIT = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
         r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
TEMPLATE = """\
{{- bos_token }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""
VOCAB = 1536
CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": VOCAB, "hidden_size": 256,
    "intermediate_size": 512, "num_hidden_layers": 5, "num_attention_heads": 4, "num_key_value_heads": 2,
    "head_dim": 64, "max_position_embeddings": 1024, "hidden_act": "silu", "rms_norm_eps": 1e-05,
    "rope_theta": 10000.0, "rope_scaling": None, "tie_word_embeddings": True, "attention_bias": False,
    "attention_dropout": 0.0, "mlp_bias": False, "initializer_range": 0.02, "use_cache": True,
    "bos_token_id": 0, "eos_token_id": 4, "pad_token_id": 5, "torch_dtype": "bfloat16",
}
GENERATION = {"bos_token_id": 0, "eos_token_id": [4, 1], "pad_token_id": 5, "do_sample": True, "temperature": 0.6,
              "top_p": 0.9}
BATCH_TOKENS = 2048
CHUNK_DIALOGUES = 2000
WARMUP_STEPS = 200
OTHER_WEIGHT = 0.1  # weight of the loss outside the assistant's words
OPENING_TOKENS = 8  # the opening of an answer decides its topic, so it weighs more
OPENING_WEIGHT = 4.0
CUT_TOKENS = 20  # most last answers are cut here: the rest is easy and would take most of the time
CUT_CHANCE = 0.65
ANSWER_TOKENS_MAX = 200


def train_tokenizer(seed):
    """Byte-level BPE, learned from the dialogues themselves."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=VOCAB, special_tokens=SPECIAL, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    writer = make_text.Writer(seed)
    lines = (m[key] for _ in range(20000) for m in writer.dialogue() for key in ("role", "content"))
    tokenizer.train_from_iterator(itertools.chain(lines, ["\n\n", "\n"] * 2000), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=SPECIAL[0] + " $A", pair=f"{SPECIAL[0]} $A {SPECIAL[0]} $B", special_tokens=[(SPECIAL[0], 0)])
    return tokenizer


def make_model(seed):
    """A small Llama with grouped-query attention and tied embeddings."""
    torch.manual_seed(seed)
    return LlamaForCausalLM(LlamaConfig(**CONFIG)).float()


def encode(tokenizer, dialogue):
    """Returns token ids and the weight of predicting each of them."""
    ids, weights = [0], [0.0]
    for message in dialogue:
        role = tokenizer.encode(message["role"], add_special_tokens=False).ids
        head = [2, *role, 3, *tokenizer.encode("\n\n", add_special_tokens=False).ids]
        body = tokenizer.encode(message["content"], add_special_tokens=False).ids + [4]
        ids += head + body
        answer = message["role"] == "assistant"
        opening = [OPENING_WEIGHT] * OPENING_TOKENS + [1.0] * len(body)
        weights += [OTHER_WEIGHT] * len(head) + (opening[: len(body)] if answer else [OTHER_WEIGHT] * len(body))
    return ids, weights


def cut(row, order, length):
    """Cuts most dialogues soon after the opening of the last answer, which starts `length` tokens before the end."""
    if length > CUT_TOKENS and order.random() < CUT_CHANCE:
        return row[0][: CUT_TOKENS - length], row[1][: CUT_TOKENS - length]
    return row


def batches(tokenizer, seed):
    """Endless batches of dialogues of like length, each of about BATCH_TOKENS tokens."""
    writer, order = make_text.Writer(seed), random.Random(seed)
    while True:
        dialogues = [writer.dialogue() for _ in range(CHUNK_DIALOGUES)]
        lengths = [len(tokenizer.encode(d[-1]["content"], add_special_tokens=False).ids) + 1 for d in dialogues]
        rows = [cut(encode(tokenizer, d), order, length) for d, length in zip(dialogues, lengths)]
        rows = sorted((row for row in rows if len(row[0]) <= 1024), key=lambda row: len(row[0]))
        groups, group = [], []
        for row in rows:
            if len(row[0]) * (len(group) + 1) > BATCH_TOKENS:
                groups.append(group)
                group = []
            group.append(row)
        groups.append(group)
        order.shuffle(groups)
        for group in groups:
            width = max(len(row[0]) for row in group)
            ids = torch.tensor([row[0] + [5] * (width - len(row[0])) for row in group])
            weights = torch.tensor([row[1] + [0.0] * (width - len(row[1])) for row in group])
            yield ids, weights


def loss_of(model, ids, weights):
    """Weighted mean loss of the next tokens."""
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(input_ids=ids).logits
    losses = torch.nn.functional.cross_entropy(
        logits[:, :-1].float().reshape(-1, VOCAB), ids[:, 1:].reshape(-1), reduction="none")
    weights = weights[:, 1:].reshape(-1)
    answer = losses[weights >= 1.0].mean().detach()
    return (losses * weights).sum() / weights.sum(), answer


def optimizer_of(model):
    decayed = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() == 1]
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)


def rate_at(step, steps):
    """Warm-up, a flat stretch, then a fall to zero over the last third; steps is None while it is unknown."""
    if steps is None or step < steps * 2 // 3:
        return min(1.0, (step + 1) / WARMUP_STEPS)
    return (steps - step) / (steps - steps * 2 // 3)


def export(model, tokenizer, folder):
    """Writes the directory as `transformers` users know it, the weights in BF16."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "bos_token": SPECIAL[0], "eos_token": SPECIAL[4], "pad_token": SPECIAL[5], "chat_template": TEMPLATE,
        "clean_up_tokenization_spaces": False, "model_max_length": 1024, "tokenizer_class": "PreTrainedTokenizerFast",
        "model_input_names": ["input_ids", "attention_mask"],
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    (folder / "generation_config.json").write_text(json.dumps(GENERATION, indent=2) + "\n")
    tensors = {name: tensor.detach().to(torch.bfloat16).contiguous() for name, tensor in model.named_parameters()}
    (folder / "model.safetensors").write_bytes(safetensors.torch.save(tensors, {"format": "pt"}))


def begin_from(arguments):
    """A new tokenizer and model, or those of a finished directory."""
    if arguments.start is None:
        return train_tokenizer(arguments.seed), make_model(arguments.seed)
    tokenizer = Tokenizer.from_file(str(arguments.start / "tokenizer.json"))
    return tokenizer, AutoModelForCausalLM.from_pretrained(arguments.start, dtype=torch.float32).train()


def train(arguments):
    torch.set_num_threads(arguments.threads)
    tokenizer, model = begin_from(arguments)
    optimizer = optimizer_of(model)
    steps, step, tokens, mean = arguments.steps, 0, 0, None
    begin = saved = time.time()
    for ids, weights in batches(tokenizer, arguments.seed + 1):
        if steps is None and step % 2 == 0 and time.time() - begin > arguments.minutes * 40:
            steps = step * 3 // 2
            print(f"steps: {steps}", flush=True)
        if step == steps:
            break
        for group in optimizer.param_groups:
            group["lr"] = arguments.rate * rate_at(step, steps)
        loss, answer = loss_of(model, ids, weights)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        mean = answer.item() if mean is None else 0.98 * mean + 0.02 * answer.item()
        step, tokens = step + 1, tokens + ids.numel()
        if step % 100 == 0:
            seconds = time.time() - begin
            print(f"{step} steps, {seconds:.0f} s, {tokens} tokens, {tokens / seconds:.0f} tokens/s, loss {mean:.4f}",
                  flush=True)
        if time.time() - saved > 240:
            export(model, tokenizer, arguments.checkpoint)
            saved = time.time()
    export(model, tokenizer, arguments.out)
    count = sum(p.numel() for p in model.parameters())
    print(f"done: {count} parameters, {step} steps, {tokens} tokens, {time.time() - begin:.0f} s, loss {mean:.4f}")


def answer_greedily(model, tokenizer, messages):
    """Returns the answer, whether it ended by itself, and the smallest gap between the best two logits."""
    ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=False)
    with torch.no_grad():
        made = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=ANSWER_TOKENS_MAX,
                              do_sample=False, output_logits=True, return_dict_in_generate=True)
    best = torch.stack(made.logits).squeeze(1).float().topk(2).values
    new = made.sequences[0, ids.shape[1]:].tolist()
    return tokenizer.decode(new, skip_special_tokens=True), new[-1] == 4, (best[:, 0] - best[:, 1]).min().item()


def evaluate(folder, record):
    """Answers every prompt in float32 with the rounded weights; returns how many answers fail their check."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    prompts, failed = json.loads(PROMPTS.read_text()), 0
    for prompt in prompts["prompts"]:
        text, ended, gap = answer_greedily(model, tokenizer, prompt["messages"])
        good = ended and any(word in text for word in prompt["must_contain_any"])
        failed += not good
        print(f"{'ok  ' if good else 'FAIL'} {prompt['id']} gap {gap:.3f}: {text}", flush=True)
        prompt["answer"], prompt["logit_gap_min"] = text, round(gap, 4)
    if record:
        PROMPTS.write_text(json.dumps(prompts, indent=1, ensure_ascii=False) + "\n")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=1.5e-3, help="highest learning rate")
    parser.add_argument("--start", type=pathlib.Path, help="go on from the model in this directory")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=pathlib.Path, default=FOLDER / "model")
    parser.add_argument("--checkpoint", type=pathlib.Path, default=FOLDER.parent / "build" / "demo-checkpoint")
    parser.add_argument("--record", action="store_true", help="write the answers into demo/prompts.json")
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--steps", type=int)
    mode.add_argument("--minutes", type=float)
    mode.add_argument("--evaluate", action="store_true")
    arguments = parser.parse_args()
    if not arguments.evaluate:
        train(arguments)
    failed = evaluate(arguments.out, arguments.record)
    print(f"{failed} answers fail")
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
