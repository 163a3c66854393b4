"""One way to train a top: AdamW, a rate that rises and then falls, batches of windows of about the same length."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

BATCH = 32
RATES = (3e-4, 2e-3)
"""Highest rates of the layers and of what is new."""
WARM = 100


def told(line: str) -> None:
    """Progress."""
    sys.stderr.write(line + "\n")


def planned(sizes: np.ndarray, chosen: np.ndarray, epochs: int, seed: int, batch: int = BATCH) -> list[np.ndarray]:
    """Batches of places for all epochs, in a random order, the same for the same seed."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(epochs):
        order = chosen[np.argsort(sizes[chosen] + rng.random(len(chosen)) * 6, kind="stable")]
        cut = [order[i : i + batch] for i in range(0, len(order), batch)]
        rng.shuffle(cut)
        found += cut
    return found


Step = Callable[[], Tensor]


def train(layers: nn.Module, fresh: Iterable[nn.Parameter], steps: Sequence[Step], name: str, slower: float = 1.0) -> None:
    """Take every step: each gives the loss of its batch.

    `fresh` are the parameters that were not there before; `slower`: factor of the rates.
    """
    new = list(fresh)
    groups = [{"params": list(layers.parameters()), "lr": RATES[0]}, {"params": new, "lr": RATES[1]}]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.02)
    mean = 0.0
    for number, step in enumerate(steps):
        share = min(1.0, number / min(WARM, len(steps) / 5)) * max(0.02, 1.0 - number / len(steps))
        for group, rate in zip(optimiser.param_groups, RATES, strict=True):
            group["lr"] = rate * share * slower
        loss = step()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([*layers.parameters(), *new], 1.0)
        optimiser.step()
        mean = 0.98 * mean + 0.02 * loss.item() if number else loss.item()
        if number % 200 == 0:
            told(f"{name}: step {number} of {len(steps)}, loss {mean:.3f}")


def in_batches(count: int, size: int = 64) -> Iterator[range]:
    """Places 0 to `count` in portions."""
    return (range(i, min(i + size, count)) for i in range(0, count, size))
