"""What servers have of models reaches the choice."""

from dataclasses import replace

import pytest

from ollama_locate.core.inventory import Model
from ollama_locate.core.outcome import Outcome
from ollama_locate.core.pin import Pin

from .world import World, settings

A, B = Model("a:1"), Model("b:1")
CLOUD, GONE = Model("c:cloud", cloud=True), Model("c:cloud", cloud=True, absent=True)


def up(*models: str, cloud: bool = False) -> World:
    world = World(replace(settings(), cloud=cloud))
    world.look("gpu", "nas")
    world.ok("gpu", 5, models)
    return world


@pytest.mark.parametrize(
    ("stock", "cloud", "names"),
    [
        pytest.param((A, B), False, ("a:1", "b:1"), id="as listed"),
        pytest.param((A, Model("b:1", absent=True)), False, ("a:1",), id="what is not found is out"),
        pytest.param((A, B, CLOUD), False, ("a:1", "b:1"), id="a cloud model is never used"),
        pytest.param((A, B, CLOUD), True, ("a:1", "b:1", "c:cloud"), id="unless that is allowed"),
        pytest.param((A, B, GONE), True, ("a:1", "b:1"), id="and there"),
    ],
)
def test_the_names_by_which_models_can_be_asked_for(
    stock: tuple[Model, ...], names: tuple[str, ...], *, cloud: bool
) -> None:
    world = up("a:1", "b:1", cloud=cloud)
    assert world.stock("gpu", *stock)
    assert world.track("gpu").models == names
    world.ok("gpu", 5, ("a:1", "b:1"))
    assert world.track("gpu").models == names


def test_of_what_is_not_listed_any_more_only_cloud_models_stay() -> None:
    world = up("a:1", cloud=True)
    world.stock("gpu", A, B, CLOUD)
    world.ok("gpu", 5, ("a:1",))
    assert world.track("gpu").models == ("a:1", "c:cloud")


@pytest.mark.parametrize(
    ("then", "news"),
    [
        pytest.param((Model("a:1", until="later"),), False, id="when it is unloaded is no news"),
        pytest.param((Model("a:1", loaded=True),), True, id="that it is loaded is"),
    ],
)
def test_what_is_news(then: tuple[Model, ...], *, news: bool) -> None:
    world = up("a:1")
    assert world.stock("gpu", A)
    assert world.stock("gpu", *then) is news


def test_of_a_server_that_is_gone_nothing_is_taken_in() -> None:
    world = up("a:1")
    assert not world.stock("pi", A)
    world.locator.listed("n9:1", ("a:1",))


def test_a_list_that_did_not_come_changes_nothing() -> None:
    world = up("a:1")
    world.locator.listed("n2:11434", None)
    world.ok("gpu", 5, None)
    assert world.track("gpu").models == ("a:1",)


def test_the_best_for_each_model_is_who_has_it_loaded_and_it_stays_with_who_is_in_doubt() -> None:
    world = up("a:1", "b:1")
    world.ok("nas", 50, ("a:1", "only:1"))
    world.stock("nas", Model("a:1", loaded=True), Model("only:1"))
    world.decide()
    gpu, nas = "n2:11434", "n3:11434"
    assert world.locator.catalogue.best(world.now) == {"a:1": nas, "b:1": gpu, "only:1": nas}
    world.no("nas")
    assert world.locator.catalogue.best(world.now) == {"a:1": gpu, "b:1": gpu, "only:1": nas}


def test_whether_a_cloud_may_be_used_counts_at_once() -> None:
    world = up("a:1", cloud=True)
    world.stock("gpu", A, CLOUD)
    assert "c:cloud" in (world.track("gpu").models or ())
    world.locator.reconfigure(settings(), world.now)
    assert world.track("gpu").models == ("a:1",)


def test_while_a_pinned_server_is_down_the_models_of_others_are_there() -> None:
    world = up("a:1")
    world.ok("nas", 50, ("b:1",))
    world.locator.reconfigure(replace(settings(), pin=Pin("gpu", "http://100.64.0.2:11434", "n2:11434")), world.now)
    world.decide()
    for _ in range(3):
        world.now += 1
        world.no("gpu", Outcome.REFUSED)
    assert world.locator.catalogue.best(world.now) == {"b:1": "n3:11434"}
