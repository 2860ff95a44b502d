"""What this machine has, and whether the lessons will run on it."""

from collections.abc import Callable

from imdb_tutorial.machine.diagnosis import downloads, installation, network, resources
from imdb_tutorial.machine.diagnosis.check import Check

LOOKS: dict[str, Callable[[], Check]] = {
    "Python": installation.python,
    "libraries": installation.libraries,
    "copies": installation.copies,
    "Jupyter": installation.jupyter,
    "packaged reviews": installation.packaged_reviews,
    "packaged encoder": installation.packaged_encoder,
    "preset": installation.preset,
    "processor cores": resources.cores,
    "memory": resources.memory,
    "disk": resources.disk,
    "feature cache": resources.feature_cache,
    "BERT runs on": resources.device,
    "proxy": network.proxy,
    "model hub": network.hub,
    "full preset": downloads.full_preset,
    "browser for tests": installation.browser,
}


def doctor() -> list[Check]:
    """Look at this machine and print what it has; nothing is changed and no network is used.

    Returns:
        The checks, in the order they are printed. A ``problem`` or a ``note`` says what to do.
    """
    found = examine()
    width = max(len(check.what) for check in found)
    for check in found:
        said = ": ".join(part for part in (check.found, check.remedy) if part)
        print(f"{check.what:<{width}}  {check.state:<7}  {said}")
    return found


def examine() -> list[Check]:
    """Look at this machine without a word.

    Returns:
        The checks, in the order of ``LOOKS``. What cannot be looked at is a ``problem``.
    """
    return [_answer(what, look) for what, look in LOOKS.items()]


def _answer(what: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except (ImportError, OSError, ValueError, RuntimeError) as error:
        return Check(what, "problem", "", str(error))
