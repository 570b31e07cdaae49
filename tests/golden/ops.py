#!/usr/bin/env python3
"""Writes ops.json beside this file: inputs, value and gradients of every row of the op table, from
PyTorch in float64, for tests/test_ops.cpp and `make gradcheck`. They never need PyTorch.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch
    /tmp/torch/bin/python tests/golden/ops.py

A row is a name of the op table, the function, and lists of inputs. All inputs are drawn from one
seed, rounded to four digits, and written out: add new rows at the end, so that earlier ones keep
their numbers. The upstream gradient is random, too: with ones, a
softmax backward that returns zeros would pass.
"""
import json
import os

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(20)
ROWS = {}


def num(*shape, low=-2.0, high=2.0):
    """Evenly spaced over [low, high], shuffled: no ties, and no 0 if low = -high."""
    n = max(1, torch.Size(shape).numel())
    x = (torch.randperm(n) + 0.3 + 0.2 * torch.rand(())) * (high - low) / n + low
    return torch.round(x[:torch.Size(shape).numel()].reshape(shape), decimals=4)


def pos(*shape):
    return num(*shape, low=0.3, high=3.0)


def ids(below, *shape):
    return torch.randint(below, shape)


def row(name, f, *cases):
    written = []
    for inputs in cases:
        xs = [x.clone().requires_grad_(x.is_floating_point()) for x in inputs]
        y = f(*xs)
        u = torch.round(torch.randn(y.shape), decimals=4)
        floating = [x for x in xs if x.is_floating_point()]
        grads = torch.autograd.grad(y, floating, u, allow_unused=True)
        written.append({
            "inputs": [put(x) for x in inputs], "output": put(y), "upstream": put(u),
            "gradients": [put(torch.zeros_like(x) if g is None else g)
                          for x, g in zip(floating, grads)]})
    assert name not in ROWS
    ROWS[name] = written


def put(x):
    kind = "float64" if x.is_floating_point() else "int64"
    return {"shape": list(x.shape), kind: x.detach().flatten().tolist()}


# ---- Elementwise

def unary(name, f, make=num):
    row(name, f, [make(2, 3, 5)], [make()])


def binary(name, f, a=num, b=num):
    row(name, f, [a(2, 3, 5), b(2, 3, 5)], [a(2, 1, 5), b(3, 1)])


binary("add", torch.add)
binary("sub", torch.sub)
binary("mul", torch.mul)
binary("div", torch.div, b=pos)
binary("pow", torch.pow, a=pos)
unary("add_scalar", lambda x: x + 0.7)
unary("mul_scalar", lambda x: x * -1.3)
unary("pow_scalar", lambda x: x ** 1.5, pos)
unary("pow_scalar/cube", lambda x: x ** 3)
unary("neg", torch.neg)
for name in ("exp", "square", "abs", "sign", "sin", "cos", "erf", "tanh"):
    unary(name, getattr(torch, name))
for name in ("log", "sqrt", "rsqrt", "reciprocal"):
    unary(name, getattr(torch, name), pos)
wide = lambda *s: num(*s, low=-4.0, high=4.0)
unary("sigmoid", torch.sigmoid, wide)
unary("relu", F.relu)
unary("leaky_relu", lambda x: F.leaky_relu(x, 0.2))
unary("silu", F.silu, wide)
unary("softplus", F.softplus, wide)
unary("gelu", F.gelu, wide)
unary("gelu_tanh", lambda x: F.gelu(x, approximate="tanh"), wide)
unary("clamp", lambda x: torch.clamp(x, -0.81, 1.13))
binary("maximum", torch.maximum)
binary("minimum", torch.minimum)
row("where", lambda m, a, b: torch.where(m != 0, a, b),
    [ids(2, 2, 3, 5), num(2, 3, 5), num(2, 3, 5)], [ids(2, 3, 1), num(5), num(2, 3, 5)])
row("masked_fill", lambda x, m: x.masked_fill(m != 0, 0.6),
    [num(2, 3, 5), ids(2, 2, 3, 5)], [num(2, 3, 5), ids(2, 3, 5)])

# ---- Shape

row("reshape", lambda x: x.reshape(5, -1), [num(2, 3, 5)])
row("flatten", lambda x: x.flatten(1), [num(2, 3, 5)])
row("permute", lambda x: x.permute(2, 0, 1), [num(2, 3, 5)])
row("transpose", lambda x: x.transpose(0, -1), [num(2, 3, 5)])
row("t", lambda x: x.mT, [num(2, 3, 5)])
row("slice", lambda x: x[:, 1:6:2], [num(2, 7, 3)])
row("slice/negative", lambda x: x[:, -5:-1], [num(2, 7)])
row("select", lambda x: x.select(1, -1), [num(2, 3, 5)])
row("expand", lambda x: x.expand(2, 3, 7, 5), [num(3, 1, 5)], [num(5)])
row("squeeze", lambda x: x.squeeze(1), [num(2, 1, 3)])
row("unsqueeze", lambda x: x.unsqueeze(-2), [num(2, 3)])
row("clone", torch.clone, [num(2, 3, 5)])
row("contiguous", lambda x: x.transpose(0, 1).contiguous(), [num(2, 3, 5)])
row("to", lambda x: x.float().double(), [num(2, 3, 5)])
row("tril", torch.tril, [num(2, 3, 5)], [num(5, 3)])
row("tril/diagonal", lambda x: torch.tril(x, -1), [num(2, 3, 5)])
row("triu", torch.triu, [num(2, 3, 5)], [num(5, 3)])
row("triu/diagonal", lambda x: torch.triu(x, 1), [num(2, 3, 5)])
row("cat", lambda *xs: torch.cat(xs, 1), [num(2, 3, 5), num(2, 7, 5), num(2, 2, 5)])
row("stack", lambda *xs: torch.stack(xs, 1), [num(2, 3), num(2, 3)])
row("split", lambda x: torch.cat(x.split(3, 1)[::-1], 1), [num(2, 7, 3)])

# ---- Reductions

for name, f in {"sum": torch.sum, "mean": torch.mean, "var": torch.var, "max": torch.amax,
                "min": torch.amin, "logsumexp": torch.logsumexp}.items():
    row(name, lambda x, f=f: f(x, tuple(range(x.dim()))), [num(2, 3, 5)], [num(7)])
    row(name + "/keepdim", lambda x, f=f: f(x, (0, -1), keepdim=True), [num(2, 3, 5)])
    row(name + "/first", lambda x, f=f: f(x, (0,)), [num(2, 3, 5)])
row("var/population", lambda x: torch.var(x, (1,), keepdim=True, correction=0), [num(2, 3, 5)])
row("cumsum", lambda x: torch.cumsum(x, 1), [num(2, 3, 5)])
row("topk", lambda x: torch.topk(x, 3, 1).values, [num(2, 7, 5)])
row("topk/smallest", lambda x: torch.topk(x, 2, -1, largest=False).values, [num(2, 7, 5)])
row("sort", lambda x: torch.sort(x, 1).values, [num(2, 7, 5)])
row("sort/descending", lambda x: torch.sort(x, -1, descending=True).values, [num(2, 7, 5)])

# ---- Products and indices

row("matmul", torch.matmul, [num(2, 3), num(3, 5)], [num(3), num(3)], [num(2, 3), num(3)],
    [num(3), num(3, 5)])
row("matmul/batched", torch.matmul, [num(2, 3, 5), num(2, 5, 7)], [num(2, 3, 5), num(5, 7)],
    [num(3, 5), num(2, 5, 7)])
row("matmul/broadcast", torch.matmul, [num(2, 1, 3, 5), num(7, 5, 2)])
row("linear", F.linear, [num(2, 3, 5), num(7, 5), num(7)], [num(5), num(7, 5), num(7)])
row("linear/no bias", F.linear, [num(2, 3, 5), num(7, 5)])
row("index_select", lambda x, i: x.index_select(1, i), [num(2, 3, 5), ids(3, 7)])
row("gather", lambda x, i: x.gather(1, i), [num(2, 3, 5), ids(3, 2, 7, 5)])
row("scatter_add", lambda x, i, s: x.scatter_add(1, i, s),
    [num(2, 3, 5), ids(3, 2, 7, 5), num(2, 7, 5)])
row("index_add", lambda x, i, s: x.index_add(1, i, s), [num(2, 3, 5), ids(3, 7), num(2, 7, 5)])
row("embedding", lambda w, i: F.embedding(i, w), [num(5, 3), ids(5, 2, 7)])

# ---- Rows

for name, f in {"softmax": torch.softmax, "log_softmax": torch.log_softmax}.items():
    row(name, lambda x, f=f: f(x, 2), [num(2, 3, 5)])
    row(name + "/first", lambda x, f=f: f(x, 0), [num(2, 3, 5)])
row("layer_norm", lambda x, w, b: F.layer_norm(x, w.shape, w, b, 1e-3),
    [num(2, 3, 5), pos(5), num(5)])
row("rms_norm", lambda x, w: F.rms_norm(x, w.shape, w, 1e-3), [num(2, 3, 5), pos(5)])


def cross_entropy(name, logits, **options):
    """PyTorch wants the classes second; ours come last."""
    f = lambda x, t: F.cross_entropy(x.movedim(-1, 1) if x.dim() > 1 else x, t, **options)
    row(name, f, [num(*logits, low=-3.0, high=3.0), ids(logits[-1], *logits[:-1])])


cross_entropy("cross_entropy", (7, 5))
cross_entropy("cross_entropy/smoothing", (2, 3, 5), ignore_index=1, label_smoothing=0.1)
cross_entropy("cross_entropy/sum", (7, 3), ignore_index=2, reduction="sum")
cross_entropy("cross_entropy/none", (2, 7, 3), ignore_index=0, reduction="none")

# ---- Attention


def attend(q, k, v, mask=None, causal=False, scale=None):
    """Our causal mask is aligned at the last key; a query that sees nothing gives 0."""
    t, s = q.shape[2], k.shape[2]
    sees = torch.ones(q.shape[0], 1, t, s, dtype=torch.bool)
    if causal:
        sees = sees & torch.ones(t, s, dtype=torch.bool).tril(s - t)
    if mask is not None:
        sees = sees & (mask != 0)[:, None, None, :]
    return F.scaled_dot_product_attention(q, k, v, attn_mask=sees, scale=scale)


def packed(x, mask=None, causal=False):
    b, n, c = x.shape[0], x.shape[1], x.shape[2] // 3
    q, k, v = (p.reshape(b, n, 3, c // 3).transpose(1, 2) for p in x.split(c, 2))
    return attend(q, k, v, mask, causal).transpose(1, 2).reshape(b, n, c)


seen = torch.tensor([[1, 0, 1, 1, 0, 0, 1], [0, 1, 1, 0, 1, 1, 0]])
qkv = lambda t, s: [num(2, 3, t, 4), num(2, 3, s, 4), num(2, 3, s, 4)]
row("attention", attend, qkv(5, 7))
row("attention/causal", lambda q, k, v: attend(q, k, v, causal=True), qkv(5, 5))
row("attention/past", lambda q, k, v: attend(q, k, v, causal=True), qkv(2, 7))
row("attention/masked", lambda q, k, v, m: attend(q, k, v, m, scale=0.8), qkv(5, 7) + [seen])
row("packed_attention", lambda x: packed(x, causal=True), [num(2, 5, 36)])
row("packed_attention/masked", packed, [num(2, 5, 36), seen[:, :5].contiguous()])

# ---- Other forms of the ops above. Last, so that the numbers of the others stay the same.

unary("pow/constant base", lambda x: 1.7 ** x)
row("clamp/bounds", torch.clamp, [num(2, 3, 5), num(3, 5, low=-1.0, high=0.0),
                                  num(2, 1, 5, low=0.1, high=1.0)])
row("squeeze/all", torch.squeeze, [num(1, 2, 1, 3)])
row("diagonal", lambda x: x.diagonal(1), [num(3, 5)], [num(7, 3)])
row("diagonal/outer", lambda x: x.diagonal(-1, -1, 0), [num(5, 2, 3)])
row("repeat", lambda x: x.repeat(2, 1, 3), [num(3, 5)])
row("linear/one output", F.linear, [num(2, 3, 5), num(5), num()], [num(5), num(5), num()])
row("gather/0-d", lambda x, i: x.gather(-1, i), [num(), ids(1)])
row("scatter_add/0-d", lambda x, i, s: x.scatter_add(0, i, s), [num(), ids(1), num()])
row("index_select/0-d", lambda x, i: x.index_select(1, i), [num(2, 3, 5), ids(3)])
row("layer_norm/several", lambda x, w, b: F.layer_norm(x, w.shape, w, b, 1e-3),
    [num(2, 3, 5), pos(3, 5), num(3, 5)])
row("layer_norm/bare", lambda x: F.layer_norm(x, x.shape[-1:], eps=1e-3), [num(2, 3, 5)])
row("rms_norm/several", lambda x, w: F.rms_norm(x, w.shape, w, 1e-3), [num(2, 3, 5), pos(3, 5)])
row("rms_norm/bare", lambda x: F.rms_norm(x, x.shape[-1:], eps=1e-3), [num(2, 3, 5)])
weight = torch.tensor([0.5, 2, 1.25])
cross_entropy("cross_entropy/weighted", (7, 3), weight=weight)
cross_entropy("cross_entropy/weighted smoothing", (2, 7, 3), ignore_index=2, label_smoothing=0.1,
              weight=weight)
row("nll_loss",
    lambda x, t: F.nll_loss(x.log_softmax(-1).movedim(-1, 1), t, weight, ignore_index=2),
    [num(2, 7, 3, low=-3.0, high=3.0), ids(3, 2, 7)])
row("attention/grouped", lambda q, k, v: F.scaled_dot_product_attention(q, k, v, enable_gqa=True),
    [num(2, 3, 5, 4), num(2, 1, 7, 4), num(2, 1, 7, 4)])
row("attention/narrow v", lambda q, k, v: attend(q, k, v, causal=True),
    [num(2, 3, 5, 4), num(2, 3, 5, 4), num(2, 3, 5, 2)])
row("attention/wide v", attend, [num(2, 3, 5, 4), num(2, 3, 7, 4), num(2, 3, 7, 7), seen])
hidden = torch.eye(7, dtype=torch.int64)[:5] ^ 1
row("attention/attn_mask", lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, m != 0),
    qkv(5, 7) + [hidden])
row("attention/bias", F.scaled_dot_product_attention, qkv(5, 7) + [num(5, 7)])



def rotary(x, first):
    """Pairs (i, i + D/2) of each head of q and k as complex numbers, times e^(i angle)."""
    b, n, c = x.shape[0], x.shape[1], x.shape[2] // 3
    first_half, second_half = x[..., :2 * c].reshape(b, n, 6, 2, c // 6).unbind(3)
    angles = torch.outer(first + torch.arange(n), 10000.0 ** (torch.arange(c // 6) * -6.0 / c))
    turned = torch.complex(first_half, second_half) * torch.polar(torch.ones(()), angles)[:, None]
    qk = torch.stack([turned.real, turned.imag], 3).reshape(b, n, 2 * c)
    return torch.cat([qk, x[..., 2 * c:]], 2)


row("rotary", lambda x: rotary(x, 0), [num(2, 5, 36)])
row("rotary/past", lambda x: rotary(x, 1000), [num(2, 5, 36)])

if __name__ == "__main__":
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ops.json")
    with open(path, "w") as f:
        json.dump({"torch": torch.__version__, "rows": ROWS}, f, separators=(",", ":"))
        f.write("\n")
    print(len(ROWS), "rows,", os.path.getsize(path), "bytes")
