"""What the made-up service did lately: by the second, by ten seconds, by the hour."""

import math
from random import Random

CLASSES = {"1xx": 0, "2xx": 0.86, "3xx": 0.09, "4xx": 0.045, "5xx": 0.005}
PIDS = (4211, 4212, 4213, 4219)
STEPS = {"seconds": (1, 300), "latency": (10, 90), "system": (5, 180)}


def wave(at, period, phase=0.0):
    """Between 0 and 1, and the same for the same time."""
    return 0.5 + 0.5 * math.sin(2 * math.pi * at / period + phase)


def memory(at, slab):
    return int(90e6 + 12e6 * slab + 4e6 * wave(at, 300, slab))


def timeline(now, quiet):
    starts = {name: (math.floor(now / step) - many + 1) * step for name, (step, many) in STEPS.items()}
    times = {name: [starts[name] + step * at for at in range(many)] for name, (step, many) in STEPS.items()}
    seconds = {"start": starts["seconds"], "step": 1} | {
        name: [0 if quiet else per_second(at, part) for at in times["seconds"]]
        for name, part in CLASSES.items()
    }
    for name, part in {"hits": 0.6, "misses": 0.18, "bytes_saved": 40_000, "queries": 4}.items():
        seconds[name] = [0 if quiet else per_second(at, part) for at in times["seconds"]]
    latency = {
        "start": starts["latency"],
        "step": 10,
        "requests": [0 if quiet else 2000 for _ in times["latency"]],
        "errors": [0 if quiet else 11 for _ in times["latency"]],
    }
    for name, usual in {"p50": 0.011, "p95": 0.068, "p99": 0.21}.items():
        # A gap: nothing was asked for then.
        latency[name] = [
            None if quiet or number in (60, 61) else usual * (1 + 0.5 * wave(at, 170, usual * 40))
            for number, at in enumerate(times["latency"])
        ]
    system = {
        "start": starts["system"],
        "step": 5,
        "cpu": [None if quiet else 15 + 12 * wave(at, 200) for at in times["system"]],
        "memory": [None if quiet else 41.0 for _ in times["system"]],
        "workers": []
        if quiet
        else [
            {
                "pid": pid,
                "cpu": [20 + 10 * wave(at, 120, slab) for at in times["system"]],
                "memory_bytes": [memory(at, slab) for at in times["system"]],
            }
            for slab, pid in enumerate(PIDS)
        ],
    }
    return {"seconds": seconds, "latency": latency, "system": system}


def per_second(at, part):
    random = Random(int(at) * 31 + int(part * 1000))
    return int(part * (170 + 60 * wave(at, 130) + random.uniform(-25, 25)) + random.random())


def hours(now):
    first = math.floor(now / 3600) - 167
    day = [int(2000 + 90_000 * wave(hour, 24, -1.6) ** 2) for hour in range(168)]
    return [
        {
            "start": 3600 * (first + at),
            "requests": many,
            "errors": many // 40 if at in (88, 89) else many // 900,
        }
        for at, many in enumerate(day)
        if at % 29
    ]
