"""What stands between this machine and the model hub; nobody is asked."""

import os
import urllib.request
from urllib.parse import urlsplit

from imdb_tutorial.machine.diagnosis.check import Check

OFFLINE_FLAGS = (
    "HF_HUB_OFFLINE",
    "TRANSFORMERS_OFFLINE",
    "HF_DATASETS_OFFLINE",
    "HF_EVALUATE_OFFLINE",
)


def proxy() -> Check:
    """Say which proxy is set; its user and password are not shown."""
    proxies = {
        scheme: address
        for scheme, address in urllib.request.getproxies().items()
        if scheme in ("http", "https", "all")
    }
    if not proxies:
        return Check("proxy", "ok", "none")
    broken = [scheme for scheme, address in proxies.items() if "://" not in address]
    if broken:
        names = ", ".join(f"{scheme.upper()}_PROXY" for scheme in broken)
        remedy = "put http:// in front of the host"
        return Check("proxy", "note", f"{names} without http://", remedy)
    shown = ", ".join(sorted({_without_password(address) for address in proxies.values()}))
    if not all(urllib.request.proxy_bypass(host) for host in ("localhost", "127.0.0.1")):
        remedy = "set NO_PROXY=localhost,127.0.0.1: JupyterLab speaks to this machine itself"
        return Check("proxy", "note", f"{shown}, also for this machine itself", remedy)
    return Check("proxy", "ok", shown)


def hub() -> Check:
    """Say whether the model hub may be asked, which only the full preset needs; do not ask it."""
    flags = [flag for flag in OFFLINE_FLAGS if _is_set(flag)]
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    needed = os.environ.get("IMDB_TUTORIAL_PRESET") == "full"
    if not endpoint.startswith(("http://", "https://")):
        remedy = "set HF_ENDPOINT to an address such as https://your.mirror, or unset it"
        found = "HF_ENDPOINT without http://"
        return Check("model hub", "problem" if needed else "note", found, remedy)
    if flags:
        remedy = f"unset {', '.join(flags)}, unless all was downloaded before" if needed else ""
        found = f"offline ({', '.join(flags)})"
        return Check("model hub", "note" if needed else "ok", found, remedy)
    return Check("model hub", "ok", f"{_without_password(endpoint)}, not asked")


def _is_set(flag: str) -> bool:
    return os.environ.get(flag, "").upper() in ("1", "ON", "YES", "TRUE")


def _without_password(address: str) -> str:
    parts = urlsplit(address)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"
