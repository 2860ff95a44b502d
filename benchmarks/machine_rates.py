"""What a device can do at most, and what was asked of it: rates that other measurements share."""

import time

import torch

MATRIX = {"cpu": 2_048, "cuda": 8_192}
ROUNDS = 5


def now(device: torch.device) -> float:
    """Return the time, once all that was asked of a device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def matrix_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Return the floating-point operations a second of large products; the median of some."""
    size = MATRIX[device.type]
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    many = 20 if device.type == "cuda" else 2
    seconds = []
    for _ in range(ROUNDS + 1):  # the first one warms up
        began = now(device)
        for _ in range(many):
            a @ b
        seconds.append(now(device) - began)
    return many * 2 * size**3 / sorted(seconds[1:])[ROUNDS // 2]


def device_name(device: torch.device) -> str:
    """Return what a GPU calls itself; of a processor, how many threads work."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{torch.get_num_threads()} processor threads"
