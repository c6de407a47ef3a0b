"""A client that starts a request every 0.1 s, and notes who answered when.

It goes on whatever becomes of the requests under way, or, as a person does, waits for the one before.
"""

from __future__ import annotations

import http.client
import json
import math
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from benchmarks.ollama_stand_in import MODELS

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY_S = 0.1
# What a person's client would wait for the first byte is longer; a program's is about this.
PATIENCE_S = 2.0


@dataclass(slots=True)
class Asked:
    """One request, in `time.perf_counter`; `server` is the address that answered, empty if none did."""

    began: float
    ended: float = math.inf
    server: str = ""


def ask(url: str, model: str = MODELS[0]["name"]) -> str:
    """The address of the Ollama that generated the answer; empty where there was none in time."""
    question = json.dumps({"model": model, "prompt": "who", "stream": False})
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=PATIENCE_S)
    try:
        connection.request("POST", "/api/generate", question, {"Content-Type": "application/json"})
        response = connection.getresponse()
        said = json.loads(response.read())
        return str(said["response"]) if response.status == 200 else ""
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return ""
    finally:
        connection.close()


class Client:
    """`where` gives each request its URL, within the request's time; `most` requests are under way at a time."""

    def __init__(self, where: Callable[[], str], most: int) -> None:
        self.where = where
        self.room = threading.Semaphore(most)
        self.asked: list[Asked] = []
        self.threads: list[threading.Thread] = []
        self.stopped = threading.Event()
        self.beat = threading.Thread(target=self.start_requests)

    def __enter__(self) -> Self:
        """Threads start in the network namespace of the one that starts them."""
        self.beat.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        for thread in (self.beat, *self.threads):
            thread.join()

    def start_requests(self) -> None:
        due = time.perf_counter()
        while not self.stopped.wait(max(0.0, due - time.perf_counter())):
            self.room.acquire()
            due = max(due + EVERY_S, time.perf_counter())
            self.asked.append(Asked(time.perf_counter()))
            self.threads.append(threading.Thread(target=self.one, args=(self.asked[-1],)))
            self.threads[-1].start()

    def one(self, request: Asked) -> None:
        request.server = ask(self.where())
        request.ended = time.perf_counter()
        self.room.release()

    def until(self, enough: Callable[[list[Asked]], bool], longest_s: float) -> bool:
        """Whether what was asked so far, and perhaps not answered yet, was enough in time."""
        deadline = time.perf_counter() + longest_s
        while time.perf_counter() < deadline:
            if enough(list(self.asked)):
                return True
            time.sleep(EVERY_S / 2)
        return False
