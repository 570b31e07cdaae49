#!/usr/bin/env python3
"""Writes examples/data/rosenbrock.csv: ten steps of PyTorch's optimizers on Rosenbrock's function,
for examples/06_optimizers.cpp, which compares its own steps with them and never needs PyTorch.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch
    /tmp/torch/bin/python tests/golden/rosenbrock.py

f(x, y) = (1 - x)^2 + 100 (y - x^2)^2 from (-1.5, 2), in float64. The settings are the example's.
"""
import os

import torch

CASES = {
    "SGD": lambda p: torch.optim.SGD(p, lr=5e-4),
    "momentum": lambda p: torch.optim.SGD(p, lr=5e-4, momentum=0.9),
    "Nesterov": lambda p: torch.optim.SGD(p, lr=5e-4, momentum=0.9, nesterov=True),
    "RMSprop": lambda p: torch.optim.RMSprop(p, lr=0.01),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.05),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0.1),
}


def ten_steps(make):
    p = torch.tensor([-1.5, 2.0], dtype=torch.float64, requires_grad=True)
    optimizer = make([p])
    for _ in range(10):
        optimizer.zero_grad()
        x, y = p
        ((1 - x) ** 2 + 100 * (y - x**2) ** 2).backward()
        optimizer.step()
        yield p.detach().tolist()


if __name__ == "__main__":
    top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    with open(os.path.join(top, "examples", "data", "rosenbrock.csv"), "w") as f:
        f.write("# Ten steps of PyTorch's optimizers on Rosenbrock's function from (-1.5, 2)\n"
                f"# Computed by PyTorch {torch.__version__} with tests/golden/rosenbrock.py\n"
                "optimizer,step,x,y\n")
        for name, make in CASES.items():
            for step, (x, y) in enumerate(ten_steps(make), 1):
                f.write(f"{name},{step},{x!r},{y!r}\n")
