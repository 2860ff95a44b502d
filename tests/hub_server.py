"""A small hub on this machine, healthy or ill: what is asked of a hub in order to read files.

``with HubServer({("models", "acme/tiny"): {COMMIT: files}}) as hub:`` serves the files of each
commit; ``main`` is the last one. ``hub.ills`` maps a part of ``"METHOD /path"`` to what goes wrong
there; the first that fits counts. ``hub.asked`` keeps what was asked.
"""

import contextlib
import hashlib
import json
import re
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

COMMIT = "c0ffee" + "0" * 34
LARGE = (".safetensors", ".parquet", ".bin")

# What goes wrong: a status with its headers, or the name of a misbehaviour.
GATED = (401, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted."})
BAD_TOKEN = (401, {"X-Error-Message": "Invalid credentials in Authorization header"})
BUSY = (429, {"RateLimit": '"api";r=0;t=300', "Retry-After": "300"})
FORBIDDEN = (403, {"Content-Type": "text/html"})
PROXY = (407, {})
BROKEN = (500, {})
PAGE = (200, {"Content-Type": "text/html; charset=utf-8"})
ELSEWHERE = (302, {"Location": "/login"})
EMPTY = (200, {})
LOOP = (302, {"Location": "/round"})
NO_GZIP = (200, {"Content-Encoding": "gzip", "Content-Type": "application/json"})
LIST = (200, {"Content-Type": "application/json"})
CONTENTS = (
    (PAGE, b"<html>Sign in</html>"),
    (FORBIDDEN, b"<html>Blocked</html>"),
    (NO_GZIP, b"no gzip"),
    (LIST, b"[1, 2]"),
)
SILENT, HANGS_UP, DRIPS, HALF, CUT, ZEROS, LONGER, NO_HUB = (
    "silent",
    "hangs up",
    "drips",
    "half",
    "cut",
    "zeros",
    "longer",
    "no hub",
)
ENDLESS, CRAWLS, FADES, WAITS, SHORT, OTHER_HASH = (
    "endless",
    "crawls",  # its headers come byte by byte
    "fades",  # all but the end comes at once
    "waits",  # half comes, and then nothing
    "short",  # announces half of what it sends
    "other hash",
)
# The first answer breaks off, and the question for the rest is answered so.
WHOLE_AGAIN, NO_RANGE = "whole again", "no range"


class HubServer:
    """The server, until the block ends."""

    def __init__(self, repositories):
        self.repositories = repositories
        self.ills, self.asked = {}, []
        self.over = threading.Event()
        handler = type("Handler", (_Handler,), {"hub": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def handle(self):
        with contextlib.suppress(ConnectionError, ValueError):
            super().handle()

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        request = f"{self.command} {unquote(self.path)}"
        self.hub.asked.append((request, self.headers.get("Authorization")))
        ill = next((ill for part, ill in self.hub.ills.items() if part in request), None)
        self.ill = ill
        if ill == SILENT:
            self.hub.over.wait(60)
        elif ill == HANGS_UP:
            self.close_connection = True
        elif ill == CRAWLS:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not self.hub.over.wait(0.4):
                self.wfile.write(b"x")
        elif ill == ENDLESS and self.command == "GET":
            self._never_end()
        elif isinstance(ill, tuple) and self.path != "/login":
            status, headers = ill
            self._send(status, next((c for i, c in CONTENTS if i == ill), b""), headers)
        else:
            self._answer(unquote(self.path).partition("?")[0])

    def _answer(self, path):
        if path == "/login":
            return self._send(200, b"<html>Sign in</html>", {"Content-Type": "text/html"})
        if found := re.fullmatch(r"/api/(models|datasets)/([^/]+/[^/]+)/revision/(.+)", path):
            kind, name, revision = found.groups()
            commit = self._commit(kind, name, revision)
            if commit:
                files = self.hub.repositories[kind, name][commit]
                info = {"id": name, "sha": commit, "siblings": [{"rfilename": f} for f in files]}
                self._send(200, json.dumps(info).encode(), {"Content-Type": "application/json"})
            return None
        if found := re.fullmatch(r"/(datasets/)?([^/]+/[^/]+)/(resolve|large)/([^/]+)/(.+)", path):
            kind = "datasets" if found[1] else "models"
            return self._file(kind, found[2], found[3], found[4], found[5])
        return self._send(404, b"", {})

    def _commit(self, kind, name, revision):
        commits = self.hub.repositories.get((kind, name))
        if commits is None:
            return self._send(401, b"", {"X-Error-Code": "RepoNotFound"})
        if revision == "main":
            return list(commits)[-1]
        known = [c for c in commits if len(revision) >= 7 and c.startswith(revision)]
        if not known:
            return self._send(404, b"", {"X-Error-Code": "RevisionNotFound"})
        return known[0]

    def _file(self, kind, name, what, revision, file):
        commit = self._commit(kind, name, revision)
        if not commit:
            return None
        headers = {} if self.ill == NO_HUB else {"X-Repo-Commit": commit}
        content = self.hub.repositories[kind, name][commit].get(file)
        if content is None:
            return self._send(404, b"", {**headers, "X-Error-Code": "EntryNotFound"})
        if what == "resolve" and file.endswith(LARGE):
            headers["X-Linked-Etag"] = f'"{hashlib.sha256(content).hexdigest()}"'
            headers["X-Linked-Size"] = str(len(content))
            headers["Location"] = self.path.replace("/resolve/", "/large/")
            return self._send(302, b"", headers)
        git_hash = hashlib.sha1(b"blob %d\0" % len(content) + content)
        own_hash = hashlib.sha256(content) if file.endswith(LARGE) else git_hash
        if self.ill == OTHER_HASH and self.command == "HEAD":
            own_hash.update(b"another")
        headers["ETag"] = f'"{own_hash.hexdigest()}"'
        since = re.fullmatch(r"bytes=(\d+)-\d*", self.headers.get("Range") or "")
        if since and self.ill == NO_RANGE:
            return self._send(416, b"", {"Content-Range": f"bytes */{len(content)}"})
        if since and self.ill == WHOLE_AGAIN:
            since, self.ill = None, None
        if since:
            total = len(content)
            content = content[int(since[1]) :]
            headers["Content-Range"] = f"bytes {since[1]}-{total - 1}/{total}"
        return self._send(206 if since else 200, content, headers)

    def _send(self, status, content, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        middle = len(content) // 2
        if self.ill == LONGER:
            content += b"0123456789"
        elif self.ill == ZEROS:
            content = content[:middle] + bytes(len(content) - middle)
        if self.ill == SHORT and self.command == "GET":
            self.close_connection = True
            self.send_header("Content-Length", str(middle))
        else:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.ill in (HALF, CUT, WAITS, WHOLE_AGAIN, NO_RANGE):
            self.wfile.write(content[:middle])
            self.close_connection = True
            if self.ill == WAITS:
                self.hub.over.wait(60)
            if self.ill == CUT:  # closed without lingering, a connection is reset
                self.connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                self.connection.close()
        elif self.ill in (DRIPS, FADES):
            if self.ill == FADES:
                self.wfile.write(content[:-20])
                content = content[-20:]
            for byte in content:
                self.wfile.write(bytes([byte]))
                if self.hub.over.wait(0.4):
                    return
        else:
            self.wfile.write(content)

    def _never_end(self):
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        while not self.hub.over.is_set():
            self.wfile.write(b"[" * 100_000)
