"""Many programs at the ManageOptin API of a large list at once, by itself and while a file is applied to that list."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.cases import Files
from tests.bench.ftp.daemon import OURS, Provider
from tests.bench.ftp.figure import Figure

CLIENTS = 50
SECONDS = 10.0
_CUSTOMER = "acme"
_CALL_SECONDS = 60


@dataclass
class _Calls:
    """What all clients saw together: seconds by kind of call, and answers that were none."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: str, seconds: float, error: str | None) -> None:
        with self.guard:
            self.seconds.setdefault(kind, []).append(seconds)
            if error:
                self.errors.append(error)


def measure(folder: Path, rows: int) -> list[Figure]:
    """Seconds a call, median and p99. Raises ``SystemExit`` with the first errors where there is any."""
    files = Files(folder / "files", rows)
    provider = Provider(folder / "api", {_CUSTOMER: "append_tags"}, files.path("first"))
    provider.site.call("process", _CUSTOMER, str(files.path("first")), "--feed", "members")
    token = json.loads(provider.site.call("credentials", "issue", _CUSTOMER, "--for", "api", "--json"))["token"]
    with provider.serving():
        port = json.loads((provider.site.folder / "data/ports.json").read_text())["web"]
        quiet = _load(port, token, rows, files, None)
        busy = _load(port, token, rows, files, files.path("changed"))
    return [
        Figure(f"API, {CLIENTS} clients, {rows:,} numbers: {kind}{when}", OURS, "s", tuple(seconds))
        for when, calls in (("", quiet), (", a file being applied", busy))
        for kind, seconds in sorted(calls.seconds.items())
    ]


def _load(port: int, token: str, rows: int, files: Files, upload: Path | None) -> _Calls:
    calls, over = _Calls(), threading.Event()
    threads = [threading.Thread(target=_client, args=(port, token, seed, calls, over)) for seed in range(CLIENTS)]
    for thread in threads:
        thread.start()
    if upload is None:
        time.sleep(SECONDS)
    else:
        _apply(port, token, upload)
    over.set()
    for thread in threads:
        thread.join(_CALL_SECONDS)
    if calls.errors:
        raise SystemExit(f"{len(calls.errors)} calls failed, such as: {calls.errors[:3]}")
    return calls


def _client(port: int, token: str, seed: int, calls: _Calls, over: threading.Event) -> None:
    chance = random.Random(seed)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_CALL_SECONDS)
    while not over.is_set():
        number = f"+1212556{chance.randrange(10_000):04}"
        if chance.random() < 0.5:
            kind, arguments = "GET number", ("GET", f"/api/v1/numbers/%2B{number[1:]}", None)
        else:
            body = json.dumps({"number": number, "command": chance.choice(["opt_in", "add_tags"]), "tags": ["api"]})
            kind, arguments = "POST command", ("POST", "/api/v1/manage-optin", body)
        began = time.perf_counter()
        status, text = _call(connection, token, *arguments)
        # 404 and 409 are answers: of a number that is on no list, and of a command that a rule forbids.
        calls.add(kind, time.perf_counter() - began, None if status in (200, 404, 409) else f"{status} {text[:200]}")
    connection.close()


def _apply(port: int, token: str, upload: Path) -> None:
    """Sends a file and waits until it has been applied."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_CALL_SECONDS)
    with upload.open("rb") as file:
        status, text = _call(connection, token, "POST", f"/api/v1/uploads?filename={upload.name}", file)
    if status != 202:
        raise SystemExit(f"the upload was answered with {status}: {text[:200]}")
    number, state = json.loads(text)["upload"], "received"
    while state == "received":
        time.sleep(0.2)
        state = json.loads(_call(connection, token, "GET", f"/api/v1/uploads/{number}", None)[1])["state"]
    connection.close()
    if state != "applied":
        raise SystemExit(f"the file that the clients were to meet ended as {state}")


def _call(connection: http.client.HTTPConnection, token: str, method: str, path: str, body: object) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    if hasattr(body, "fileno"):
        headers["Content-Length"] = str(Path(body.name).stat().st_size)  # type: ignore[attr-defined]
    connection.request(method, path, body, headers)  # type: ignore[arg-type]
    answer = connection.getresponse()
    return answer.status, answer.read().decode()
