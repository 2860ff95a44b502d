"""Exercises of lesson 11: the real size, reckoned before it is run."""

from collections.abc import Callable

from imdb_tutorial.exercises.exercise import Exercise, Mistake

# Layers, hidden and intermediate size: a BERT of base size, MiniLM, and one to reckon by hand.
SHAPES = ((12, 768, 3_072), (6, 384, 1_536), (1, 2, 3))


def _try_flops_per_token(answer: Callable) -> list[float]:
    return [float(answer(*shape)) for shape in SHAPES]


def _near(**known: float) -> Callable[[object], str]:
    """Name a predicted number by the known one that it is within two percent of."""

    def name(prediction: object) -> str:
        value = float(prediction)  # type: ignore[arg-type]
        close = (word for word, number in known.items() if abs(value - number) <= 0.02 * number)
        return next(close, f"another: {value:g}")

    return name


# As many as the processes, more, fewer, and no multiple of them.
SPLITS = ((12, 3), (10, 4), (11, 4), (3, 5), (7, 1), (0, 2))


def _try_share_of(answer: Callable) -> list[object]:
    found: list[object] = []
    for count, world_size in SPLITS:
        items = [f"batch {number}" for number in range(count)]
        shares = [answer(list(items), rank, world_size) for rank in range(world_size)]
        if not all(isinstance(share, list) for share in shares):
            return ["no lists"]
        found.append(_how_shared(items, shares))
    return found


def _how_shared(items: list[str], shares: list[list]) -> dict[str, str]:
    given = [item for share in shares for item in share]
    if not set(given) <= set(items):
        return {"given": "what is no item"}
    sizes = [len(share) for share in shares]
    lost, twice = set(given) != set(items), len(set(given)) < len(given)
    return {
        "items": "some lost and some twice" if lost and twice else _one_word(lost, twice),
        "sizes": "alike" if max(sizes) - min(sizes) <= 1 else "unlike",
        "first": "takes nothing" if items and not shares[0] else "takes some",
    }


def _one_word(lost: bool, twice: bool) -> str:
    return "some lost" if lost else "some twice" if twice else "each once"


# GPU hours, hours to start, hours until it must be done.
DEADLINES = (
    (100.0, 0.5, 10.5),
    (95.0, 0.5, 10.5),
    (101.0, 0.5, 10.5),
    (5.0, 1.0, 24.0),
    (1_000.0, 1.0, 3.0),
    (100.0, 2.0, 1.0),
)


def _try_gpus_needed(answer: Callable) -> list[float]:
    return [float(answer(*deadline)) for deadline in DEADLINES]


def _values(*mistakes: tuple[str, str]) -> tuple[Mistake, ...]:
    return tuple(Mistake(f"prediction = {value}", message) for value, message in mistakes)


EXERCISES = (
    Exercise(
        name="flops_per_token",
        hints=(
            "Count the numbers in the six matrices of one layer first: four of them are hidden x "
            "hidden, two are hidden x intermediate.",
            "Each number of a matrix is used once for a token: one multiplication, one addition. "
            "And there are several layers.",
        ),
        solution="""
def flops_per_token(layers, hidden, intermediate):
    square = 4 * hidden * hidden  # query, key, value, output
    wide = 2 * hidden * intermediate  # up, and down again
    return 2 * layers * (square + wide)
""",
        trial=_try_flops_per_token,
        expects="170 million for 12 layers of 768 and 3,072",
        mistakes=(
            Mistake(
                """
def flops_per_token(layers, hidden, intermediate):
    return layers * (4 * hidden * hidden + 2 * hidden * intermediate)
""",
                "You count the multiplications. After each one comes an addition.",
            ),
            Mistake(
                """
def flops_per_token(layers, hidden, intermediate):
    return 2 * (4 * hidden * hidden + 2 * hidden * intermediate)
""",
                "That is one layer. A token goes through all of them.",
            ),
            Mistake(
                """
def flops_per_token(layers, hidden, intermediate):
    return 2 * layers * (3 * hidden * hidden + 2 * hidden * intermediate)
""",
                "You have three square matrices: query, key, value. One is missing, behind the "
                "attention.",
            ),
            Mistake(
                """
def flops_per_token(layers, hidden, intermediate):
    return 2 * layers * (4 * hidden * hidden + hidden * intermediate)
""",
                "The way up into the wide part is there, the way back down is not.",
            ),
            Mistake(
                """
def flops_per_token(layers, hidden, intermediate):
    return 2 * layers * (4 * hidden * hidden + 2 * intermediate * intermediate)
""",
                "The two wide matrices are not square: one side is hidden, the other intermediate.",
            ),
            Mistake(
                """
def flops_per_token(layers, hidden, intermediate):
    return 2 * layers * 4 * hidden * hidden
""",
                "You leave out the two wide matrices, which are two thirds of the work.",
            ),
            Mistake(
                """
def flops_per_token(layers, hidden, intermediate):
    return 6 * layers * (4 * hidden * hidden + 2 * hidden * intermediate)
""",
                "That is forward and backward. A frozen BERT only goes forward.",
            ),
            Mistake(
                """
def flops_per_token(layers, hidden, intermediate):
    return 2 * layers * (4 * hidden + 2 * intermediate)
""",
                "You count the sides of the matrices. How many numbers are inside?",
            ),
        ),
    ),
    Exercise(
        name="seconds_lost",
        answer_name="prediction",
        hints=(
            "What was written before the power went is still there. What was not?",
            "The worst moment is just before the next shard would have been written.",
        ),
        solution="prediction = 30\n",
        trial=_near(right=30, mean=15, two=60, everything=7_800, minutes=0.5, nothing=0),
        expects="a number of seconds",
        mistakes=_values(
            ("0", "What is only in memory is gone with the power. How old can that be?"),
            ("15", "That is the mean. How much is it at most?"),
            ("60", "Between two shards lies half a minute."),
            ("7800", "That is all of it, as without shards. What is on the disk stays."),
            ("0.5", "Give seconds, not minutes."),
        ),
    ),
    Exercise(
        name="share_of",
        hints=(
            "With ten items and four processes the sizes are 3, 3, 2 and 2. Deal them out as cards "
            "are dealt: one to each, then again from the first.",
            "A slice with a step does it: it starts at the rank and goes on by world_size.",
        ),
        solution="""
def share_of(items, rank, world_size):
    return items[rank::world_size]
""",
        trial=_try_share_of,
        expects="for each rank a list, so that all ranks together have each item once",
        mistakes=(
            Mistake(
                """
def share_of(items, rank, world_size):
    size = len(items) // world_size
    return items[rank * size : (rank + 1) * size]
""",
                "Where the number of items is no multiple of world_size, the rest is lost: nobody "
                "takes it.",
            ),
            Mistake(
                """
def share_of(items, rank, world_size):
    size = len(items) // world_size
    end = (rank + 1) * size if rank < world_size - 1 else len(items)
    return items[rank * size : end]
""",
                "Nothing is lost, but the last process gets the whole rest, and the others wait "
                "for it. Sizes should differ by one at most.",
            ),
            Mistake(
                """
def share_of(items, rank, world_size):
    return list(items)
""",
                "Each process takes everything: the work is done world_size times.",
            ),
            Mistake(
                """
def share_of(items, rank, world_size):
    size = -(-len(items) // world_size)
    return items[rank * size : (rank + 1) * size]
""",
                "You round the size up: the first processes are full, and nearly nothing is left "
                "for the last. Sizes should differ by one at most.",
            ),
            Mistake(
                """
def share_of(items, rank, world_size):
    return items[::world_size]
""",
                "You do not use the rank: all processes take the same items.",
            ),
            Mistake(
                """
def share_of(items, rank, world_size):
    return items[rank - 1 :: world_size] if rank else []
""",
                "Ranks begin at 0. The process with rank 0 gets nothing, and some items are lost.",
            ),
            Mistake(
                """
def share_of(items, rank, world_size):
    return [number for number in range(len(items)) if number % world_size == rank]
""",
                "You return numbers. Return the items themselves.",
            ),
            Mistake(
                """
def share_of(items, rank, world_size):
    return items[rank:world_size]
""",
                "A slice ends where its second number says. You want a step, not an end.",
            ),
            Mistake(
                """
def share_of(items, rank, world_size):
    return len(items[rank::world_size])
""",
                "You return how many they are. Return the items.",
            ),
        ),
    ),
    Exercise(
        name="speed_up_of_four",
        answer_name="prediction",
        hints=(
            "How long do four processes take? The start takes as long as before; the rest takes a "
            "quarter.",
            "120 seconds before, 20 + 25 seconds now.",
        ),
        solution="prediction = 120 / 45\n",
        trial=_near(
            right=120 / 45, four=4, start=4.8, before=100 / 45, seconds=45, inverse=0.375, limit=6
        ),
        expects="how many times faster, with one digit behind the point",
        mistakes=_values(
            ("4", "That would be so if everything could be shared. The start cannot."),
            ("4.8", "You have left the start out of the time with four processes."),
            ("100 / 45", "You have left the start out of the time with one process."),
            ("45", "That is the new time in seconds. How many times shorter is it?"),
            ("0.375", "The other way round: the old time divided by the new one."),
            ("6", "That is the limit which no number of processes can pass."),
        ),
    ),
    Exercise(
        name="bytes_of_features",
        answer_name="prediction",
        hints=(
            "One vector a review, 768 numbers a vector.",
            "A number in float32 has 32 bits, and a byte has 8.",
        ),
        solution="prediction = 10**9 * 768 * 4\n",
        trial=_near(
            right=3.072e12,
            numbers=7.68e11,
            bits=2.4576e13,
            half=1.536e12,
            double=6.144e12,
            tokens=1.536e15,
            unit=3.072,
            gigabytes=3_072,
        ),
        expects="a number of bytes",
        mistakes=_values(
            ("10**9 * 768", "That is how many numbers there are. How many bytes has each?"),
            ("10**9 * 768 * 32", "Those are bits. A byte has eight."),
            ("10**9 * 384 * 4", "That is MiniLM, or 16-bit numbers. Take 768 numbers of 32 bits."),
            ("10**9 * 768 * 8", "Eight bytes would be float64. Ours are float32."),
            ("10**9 * 500 * 768 * 4", "Pooling makes one vector a review, not one a token."),
            ("3.072", "The digits are right. Give bytes, not terabytes."),
            ("3072", "The digits are right. Give bytes, not gigabytes."),
        ),
    ),
    Exercise(
        name="gpus_needed",
        hints=(
            "The start takes its time however many GPUs there are. How many hours are left for the "
            "work?",
            "Divide the GPU hours by what is left, and round up: half a GPU cannot be hired. Where "
            "nothing is left, return 0 before you divide.",
        ),
        solution="""
def gpus_needed(gpu_hours, start_hours, deadline):
    left = deadline - start_hours
    if left <= 0:
        return 0
    return math.ceil(gpu_hours / left)
""",
        trial=_try_gpus_needed,
        expects="a whole number for each deadline, 0 where none is enough",
        mistakes=(
            Mistake(
                """
def gpus_needed(gpu_hours, start_hours, deadline):
    return math.ceil(gpu_hours / deadline)
""",
                "You forget the start, during which nothing is computed.",
            ),
            Mistake(
                """
def gpus_needed(gpu_hours, start_hours, deadline):
    left = deadline - start_hours
    return 0 if left <= 0 else int(gpu_hours // left)
""",
                "You round down, and come too late by a little. And a short job gets no GPU at "
                "all.",
            ),
            Mistake(
                """
def gpus_needed(gpu_hours, start_hours, deadline):
    left = deadline - start_hours
    return 0 if left <= 0 else int(gpu_hours // left) + 1
""",
                "One too many where the division comes out even. Round up instead.",
            ),
            Mistake(
                """
def gpus_needed(gpu_hours, start_hours, deadline):
    left = deadline - start_hours
    return 0 if left <= 0 else round(gpu_hours / left)
""",
                "You round to the nearest number. Where that is down, it comes too late.",
            ),
            Mistake(
                """
def gpus_needed(gpu_hours, start_hours, deadline):
    return math.ceil(gpu_hours / (deadline - start_hours))
""",
                "It gives fewer than no GPU where the start alone takes longer than there is time.",
            ),
            Mistake(
                """
def gpus_needed(gpu_hours, start_hours, deadline):
    return math.ceil((gpu_hours + start_hours) / deadline)
""",
                "You share the start among the GPUs. Each of them has to wait for the whole start.",
            ),
            Mistake(
                """
def gpus_needed(gpu_hours, start_hours, deadline):
    left = deadline - start_hours
    return 0 if left <= 0 else gpu_hours / left
""",
                "A fraction of a GPU cannot be hired: round up.",
            ),
        ),
    ),
)
