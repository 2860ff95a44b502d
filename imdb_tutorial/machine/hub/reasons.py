"""Why the hub gives nothing: one line that names the true reason and the way out."""

import re
from typing import Any

from imdb_tutorial.machine.text import one_line

WAYS_OUT = (
    "set IMDB_TUTORIAL_PRESET=laptop to use what pip installed, HF_ENDPOINT to a mirror, or "
    "HF_HUB_OFFLINE=1 if you have downloaded it before"
)
ELSEWHERE = "set IMDB_TUTORIAL_PRESET=laptop to use what pip installed, or HF_ENDPOINT to a mirror"


class HubError(ConnectionError):
    """The hub gives no files; the message says why, and what to do."""


def of_answer(status: int, headers: Any, path: str) -> str:
    """Say what is wrong with an answer of the hub.

    Args:
        status: The HTTP status.
        headers: The answer's headers, of any case.
        path: What was asked for, without the host.

    Returns:
        The reason with its way out; empty where nothing is wrong, and where a single file is not in
        a repository, which the library handles itself.
    """
    code, said = headers.get("X-Error-Code", ""), headers.get("X-Error-Message", "")
    if status < 300:
        page = headers.get("Content-Type", "").startswith("text/html")
        return f"a web page answers in its place, such as a login page: {PORTAL}" if page else ""
    if status < 400 or code == "EntryNotFound":
        return ""
    if code == "GatedRepo":
        return (
            "it is gated: ask for access on its page of the hub, then set HF_TOKEN to a token of "
            "yours"
        )
    if code == "RevisionNotFound":
        return "it has no such revision: name one that its page of the hub lists, 'name@revision'"
    if status == 401 and said.startswith("Invalid credentials"):
        return (
            "the hub refuses your token (401), it may have expired: renew HF_TOKEN or say "
            "`hf auth login`, or remove it with `hf auth logout`"
        )
    if code == "RepoNotFound" or status == 401:
        return (
            f"there is none of that name, or it is private ({status}): check the spelling, or set "
            "HF_TOKEN to a token that may read it"
        )
    if status == 429:
        return (
            f"too many requests (429): try again in {_wait(headers)}, or set HF_TOKEN to a token "
            "of yours, which raises the limit"
        )
    if status == 407:
        return PROXY
    if status == 416:
        return "a download broke off, and what is left of it is refused (416): try again"
    if status >= 500:
        return f"the hub is in trouble ({status}): try again later, or {ELSEWHERE}"
    if status == 403:
        refusal = f": {one_line(ValueError(said), 100)}" if said else ""
        return (
            f"access is forbidden (403{refusal}), by the hub or by a firewall on the way: ask who "
            f"runs this network, or {ELSEWHERE}"
        )
    return (
        f"an answer that no hub gives ({status} for {path}): check HF_ENDPOINT, or set "
        "IMDB_TUTORIAL_PRESET=laptop to use what pip installed"
    )


PORTAL = (
    "log in to this network in a browser and try again, or set IMDB_TUTORIAL_PRESET=laptop to use "
    "what pip installed"
)
PROXY = (
    "the proxy wants a user and a password (407): set HTTPS_PROXY=http://user:password@host:port"
)
TOKEN_IS_NONE = "HF_TOKEN holds a character that no token has: copy it anew from the hub"


def of_failure(error: BaseException) -> str:
    """Say why a request brought no answer at all.

    Args:
        error: What the library raised.

    Returns:
        The reason with its way out.
    """
    if "Bearer" in str(error):  # the library quotes the token
        return TOKEN_IS_NONE
    reason = without_passwords(one_line(error, 160))
    kind = type(error).__name__  # the library does not export them
    if kind == "TooManyRedirects":
        return f"it sends us round in a circle: check HF_ENDPOINT and the proxy, or {ELSEWHERE}"
    if kind == "DecodingError":
        return f"an answer that cannot be unpacked ({reason}): try again, or {ELSEWHERE}"
    if re.search(r"\b407\b", reason):
        return PROXY
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return (
            "its certificate is not trusted here, as behind a proxy that reads along: set "
            f"SSL_CERT_FILE to your network's certificate, or {ELSEWHERE}"
        )
    if "[SSL" in reason:
        return (
            f"no secure connection ({reason}): check whether HF_ENDPOINT and the proxy begin with "
            f"http or https, or {ELSEWHERE}"
        )
    return f"no answer, {reason}: {WAYS_OUT}"


def without_passwords(text: str) -> str:
    """Return a text whose addresses show no user and no password."""
    return re.sub(r"(?<=://)[^/\s@]+@", "", text)


def host(address: str) -> str:
    """Return an address without what follows its host, and without a password."""
    return re.sub(r"(?<=[^:/])/.*", "", without_passwords(address))


def _wait(headers: Any) -> str:
    limit = re.search(r"\bt=(\d+)", headers.get("RateLimit", ""))
    seconds = limit[1] if limit else headers.get("Retry-After", "")
    return f"{seconds} s" if seconds.isdigit() else "a few minutes"
