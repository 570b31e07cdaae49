#!/usr/bin/env python3
"""Writes gpt.json beside this file: the losses of ten AdamW steps of a small GPT in PyTorch, in
float64 and in float32, for tests/test_gpt_golden.cpp, which never needs PyTorch.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch
    /tmp/torch/bin/python tests/golden/gpt.py

There is no file of weights. Each weight is a hash of its name and position, computed with integers,
so both languages get the same bits. The model here is written from the papers, not from our code:
pre-norm blocks, one matrix for q, k and v, gelu in its tanh form, the embedding used again for the
output.
"""
import json
import os

import torch
import torch.nn.functional as F

LAYERS, HEADS, C, T, B, V, STEPS = 2, 2, 32, 16, 2, 50, 10


def words(name, n):
    """n numbers in [0, 2^32), from the name (FNV-1a) and the position (a two-round finalizer)."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 % 2 ** 32
    out = []
    for i in range(n):
        x = (seed + i * 2654435769) % 2 ** 32
        x = (x ^ x >> 16) * 2146121005 % 2 ** 32
        x = (x ^ x >> 15) * 2221713035 % 2 ** 32
        out.append(x ^ x >> 16)
    return out


def weight(name, shape, dtype):
    """1 + u / 5 for the scale of a norm, u / 5 for all else, u in [-1/2, 1/2)."""
    n = torch.Size(shape).numel()
    u = torch.tensor([w / 2 ** 32 - 0.5 for w in words(name, n)], dtype=torch.float64)
    u = u.reshape(shape)
    norm = len(shape) == 1 and name.endswith("weight")
    return (u / 5 + (1 if norm else 0)).to(dtype).requires_grad_()


def shapes():
    out = {"wte.weight": (V, C), "wpe.weight": (T, C), "ln_f.weight": (C,), "ln_f.bias": (C,)}
    for i in range(LAYERS):
        b = f"blocks.{i}."
        for name, n, m in (("attn.qkv", 3 * C, C), ("attn.proj", C, C), ("mlp.fc", 4 * C, C),
                           ("mlp.proj", C, 4 * C)):
            out[b + name + ".weight"], out[b + name + ".bias"] = (n, m), (n,)
        for name in ("ln1", "ln2"):
            out[b + name + ".weight"] = out[b + name + ".bias"] = (C,)
    return out


def forward(p, ids):
    norm = lambda x, name: F.layer_norm(x, (C,), p[name + ".weight"], p[name + ".bias"])
    linear = lambda x, name: F.linear(x, p[name + ".weight"], p[name + ".bias"])
    x = p["wte.weight"][ids] + p["wpe.weight"][:ids.shape[1]]
    for i in range(LAYERS):
        b = f"blocks.{i}."
        q, k, v = (y.reshape(*ids.shape, HEADS, C // HEADS).transpose(1, 2)
                   for y in linear(norm(x, b + "ln1"), b + "attn.qkv").split(C, -1))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + linear(y.transpose(1, 2).reshape(x.shape), b + "attn.proj")
        x = x + linear(F.gelu(linear(norm(x, b + "ln2"), b + "mlp.fc"), approximate="tanh"),
                       b + "mlp.proj")
    return norm(x, "ln_f") @ p["wte.weight"].T


def train(dtype):
    p = {name: weight(name, shape, dtype) for name, shape in shapes().items()}
    ids = torch.tensor([w % V for w in words("ids", B * (T + 1))]).reshape(B, T + 1)
    optimizer = torch.optim.AdamW([
        {"params": [x for x in p.values() if x.dim() > 1], "weight_decay": 0.1},
        {"params": [x for x in p.values() if x.dim() == 1], "weight_decay": 0.0}],
        lr=1e-2, betas=(0.9, 0.95))
    losses, norms = [], []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = F.cross_entropy(forward(p, ids[:, :-1]).reshape(-1, V), ids[:, 1:].reshape(-1))
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(p.values(), 1.0).item())
        optimizer.step()
        losses.append(loss.item())
    return {"losses": losses, "norms": norms,
            "sums": {name: x.detach().double().abs().sum().item() for name, x in p.items()}}


if __name__ == "__main__":
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gpt.json")
    with open(path, "w") as f:
        json.dump({"torch": torch.__version__, "float64": train(torch.float64),
                   "float32": train(torch.float32)}, f, separators=(",", ":"))
        f.write("\n")
    print(open(path).read()[:600])
