"""Requests of other programs: to look again, and reports that a server failed them. The work for them is bounded."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

from ollama_locate.core.bounds import REFRESH_MIN_GAP
from ollama_locate.core.constants import REPORT_MIN_GAP
from ollama_locate.core.text import shown
from ollama_locate.edge import requests
from ollama_locate.edge.files import StateFolder

from .finder import Finder
from .log import LOGGER

_REPORTS_SAID: Final = 3
_PORTIONS: Final = 16
"""While this program stood still more may have come than are taken at a time: their signals were one."""


class Mailbox:
    """`refresh` is called after requests, REFRESH_MIN_GAP apart at least, with whether everybody is to be asked."""

    def __init__(
        self,
        folder: StateFolder,
        finder: Finder,
        on_disk: Callable[..., Coroutine[Any, Any, Any]],
        refresh: Callable[[bool], object],
    ) -> None:
        self._folder, self._finder, self._on_disk, self._refresh = folder, finder, on_disk, refresh
        self._loop = asyncio.get_running_loop()
        self._asked = self._everybody = False
        self._refreshed_at = self._said_at = float("-inf")

    async def read(self) -> None:
        """On SIGUSR1, and with each heartbeat in case that signal was lost."""
        found, refused = await self._on_disk(requests.receive, self._folder)
        for _ in range(_PORTIONS):
            if not await self._on_disk(requests.waiting, self._folder):
                break
            more, bad = await self._on_disk(requests.receive, self._folder)
            found, refused = found | more, refused + bad
        if refused:
            LOGGER.warning("%d files in requests/ were no requests of yours; removed", refused)
        reported = [one.url for one in found if one.kind == "failed"]
        self._follow_reports(reported)
        self._everybody = self._everybody or len(reported) < len(found)
        if found and not self._asked:
            self._asked = True
            wait = max(0.0, self._refreshed_at + REFRESH_MIN_GAP - self._loop.time())
            self._loop.call_later(wait, self._refresh_now)

    def _refresh_now(self) -> None:
        everybody, self._everybody = self._everybody, False
        self._asked, self._refreshed_at = False, self._loop.time()
        self._refresh(everybody)

    def _follow_reports(self, urls: list[str]) -> None:
        """A flood of them is said in a few lines: one reading in REPORT_MIN_GAP, and of that the first ones."""
        now = self._loop.time()
        quiet = now - self._said_at < REPORT_MIN_GAP
        for place, url in enumerate(urls):
            known = self._finder.locator.report(url, now)
            level = logging.DEBUG if quiet or place >= _REPORTS_SAID else logging.INFO
            text = "" if known else ": no such server"
            LOGGER.log(level, "a program reports that %s failed it%s", shown(url), text)
        if urls and not quiet:
            self._said_at = now
