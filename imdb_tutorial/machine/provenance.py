"""Where a recorded number comes from: the machine and the versions that made it."""

import os
import platform
from importlib.metadata import version


def provenance(*packages: str) -> dict:
    """Describe this machine and these packages, in what JSON can hold and no path shows.

    Args:
        packages: Names of installed packages.

    Returns:
        ``machine``, and ``versions`` of Python and of each package.

    Raises:
        importlib.metadata.PackageNotFoundError: A package that is not installed.
    """
    return {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "versions": {
            "python": platform.python_version(),
            **{name: version(name).split("+")[0] for name in packages},
        },
    }
