"""Who looks once asks of models what the caller needs, and no more: each model is a round trip."""

import asyncio

import pytest

from ollama_locate.core.config import Followed, parse_config
from ollama_locate.located.once import look_once
from tests.standins import ollama
from tests.standins.ollama import like_ollama


@pytest.mark.parametrize(
    ("abilities", "can"),
    [pytest.param(True, ("tools",), id="all"), pytest.param(False, None, id="not what they can do")],
)
def test_what_is_asked_of_models(abilities: bool, can: tuple[str, ...] | None) -> None:  # noqa: FBT001 - a table's column
    async def look() -> None:
        async with ollama.serving(like_ollama("a:1", loaded=("a:1",), can={"a:1": ["tools"]})) as port:
            text = f'tailscale = "/nonexistent"\nlocal = "off"\n[static]\nhere = "http://127.0.0.1:{port}"\n'
            config = parse_config(text.encode(), "config.toml")
            snapshot = await look_once(Followed(config), 5.0, models=True, abilities=abilities)
        (model,) = next(one.inventory for one in snapshot.servers if one.kind == "static") or ()
        assert (model.name, model.loaded, model.can) == ("a:1", True, can)
        assert snapshot.best == {"a:1": snapshot.decision.server}

    asyncio.run(look())
