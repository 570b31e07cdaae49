#!/usr/bin/env python3
"""Writes optimizers.json beside this file: what PyTorch's optimizers, schedules and gradient
clipping do, for tests/test_optim.cpp. The tests read the JSON and never need PyTorch.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch
    /tmp/torch/bin/python tests/golden/optimizers.py

The problem, in float64: w is (2, 3), b is (3,), x is (4, 2), t is (4, 3), all in closed form
below, and the loss is sum((tanh(x w + b) - t)^2). Ten steps of each optimizer; after each step the
values of w and b are recorded.
"""
import json
import math
import os

import torch

torch.set_default_dtype(torch.float64)
STEPS = 10


def wave(shape, scale):
    n = math.prod(shape)
    return (torch.sin(torch.arange(n) * scale) * 0.8).reshape(shape)


def problem():
    w, b = wave((2, 3), 1.3).requires_grad_(), wave((3,), 2.1).requires_grad_()
    x, t = wave((4, 2), 0.7), wave((4, 3), 1.9)
    return w, b, lambda: ((torch.tanh(x @ w + b) - t) ** 2).sum()


def run(make):
    w, b, loss = problem()
    optimizer = make([w, b])
    rows = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
        rows.append(torch.cat([w.detach().flatten(), b.detach()]).tolist())
    return rows


CASES = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.02}),
    ("SGD", {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.02}),
    ("Adam", {"lr": 0.02}),
    ("Adam", {"lr": 0.02, "betas": [0.8, 0.95], "eps": 1e-3, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.02}),
    ("AdamW", {"lr": 0.02, "betas": [0.9, 0.95], "eps": 1e-6, "weight_decay": 0.3}),
    ("RMSprop", {"lr": 0.01}),
    ("RMSprop", {"lr": 0.01, "alpha": 0.9, "eps": 1e-4, "weight_decay": 0.05}),
    ("RMSprop", {"lr": 0.01, "momentum": 0.7}),
]


def optimizers():
    return [{"name": name, "options": options,
             "steps": run(lambda p: getattr(torch.optim, name)(p, **options))}
            for name, options in CASES]


def muon():
    """torch.optim.Muon orthogonalizes in bfloat16, and we in the parameters' dtype: for these
    numbers, its float64. Two matrices: w, wider than high, and its transpose u."""
    out = []
    for options in ({"lr": 0.02}, {"lr": 0.02, "adjust_lr_fn": "match_rms_adamw"},
                    {"lr": 0.05, "momentum": 0.8, "nesterov": False, "weight_decay": 0.3,
                     "ns_coefficients": (2, -1.5, 0.5), "ns_steps": 7}):
        w, u = wave((2, 3), 1.3).requires_grad_(), wave((3, 2), 2.1).requires_grad_()
        x, t = wave((4, 2), 0.7), wave((4, 2), 1.9)
        bfloat16, torch.bfloat16 = torch.bfloat16, torch.float64
        optimizer = torch.optim.Muon([w, u], **options)
        steps = []
        for _ in range(STEPS):
            optimizer.zero_grad()
            ((torch.tanh(x @ w) @ u - t) ** 2).sum().backward()
            optimizer.step()
            steps.append(torch.cat([w.detach().flatten(), u.detach().flatten()]).tolist())
        torch.bfloat16 = bfloat16
        out.append({"options": options, "steps": steps})
    return out


def groups():
    """Two groups: the bias has no decay and half the rate."""
    return run(lambda p: torch.optim.AdamW([
        {"params": [p[0]], "weight_decay": 0.3},
        {"params": [p[1]], "weight_decay": 0.0, "lr": 0.01}], lr=0.02))


def rates(make, steps):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    schedule = make(optimizer)
    out = []
    for _ in range(steps):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return out


def schedules():
    s = torch.optim.lr_scheduler
    warm = lambda o, n: s.LinearLR(o, start_factor=1 / (n + 1), total_iters=n)
    return {
        "step": rates(lambda o: s.StepLR(o, 7, gamma=0.3), 25),
        "cosine": rates(lambda o: s.CosineAnnealingLR(o, 20, eta_min=0.05), 21),
        "linear": rates(lambda o: s.LinearLR(o, 1.0, 0.1, total_iters=20), 25),
        "warm_constant": rates(lambda o: warm(o, 5), 10),
        "warm_cosine": rates(lambda o: s.SequentialLR(
            o, [warm(o, 5), s.CosineAnnealingLR(o, 20, eta_min=0.05)], [5]), 26),
    }


def clipping():
    out = []
    for max_norm in (0.5, 100.0):
        w, b, loss = problem()
        loss().backward()
        norm = torch.nn.utils.clip_grad_norm_([w, b], max_norm)
        out.append({"max_norm": max_norm, "norm": norm.item(),
                    "grads": torch.cat([w.grad.flatten(), b.grad]).tolist()})
    w, b, loss = problem()
    loss().backward()
    torch.nn.utils.clip_grad_value_([w, b], 0.4)
    return {"norm": out, "value": {"limit": 0.4,
                                   "grads": torch.cat([w.grad.flatten(), b.grad]).tolist()}}


if __name__ == "__main__":
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "optimizers.json")
    with open(path, "w") as f:
        json.dump({"torch": torch.__version__, "optimizers": optimizers(), "muon": muon(),
                   "groups": groups(), "schedules": schedules(), "clipping": clipping()}, f,
                  separators=(",", ":"))
        f.write("\n")
