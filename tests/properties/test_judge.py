"""Trust and choice, for whatever tailscale says and whatever the user's config is."""

import json
from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from ollama_locate.core.constants import MULLVAD_TAG
from ollama_locate.core.patterns import matches
from ollama_locate.core.selection import Contender, Standing, choose
from ollama_locate.core.server import Kind
from ollama_locate.core.tailnet import Peer, Tailnet, parse_status
from ollama_locate.core.trust import Policy, judge, own_servers

from .strategies import documents, policies

RANGES = (ip_network("100.64.0.0/10"), ip_network("fd7a:115c:a1e0::/48"))
tailnets = documents().map(lambda document: parse_status(json.dumps(document).encode()))


def accepted(tailnet: Tailnet, policy: Policy) -> list[Peer]:
    rejected = {id(one.peer) for one in judge(tailnet, policy)[1]}
    return [peer for peer in tailnet.peers if id(peer) not in rejected]


@given(tailnets, policies)
def test_each_peer_is_a_server_on_each_port_or_is_rejected_with_a_reason(tailnet: Tailnet, policy: Policy) -> None:
    servers, rejected = judge(tailnet, policy)
    keys = {f"{peer.id}:{port}" for peer in accepted(tailnet, policy) for port in policy.ports}
    assert keys == {one.key for one in servers if one.kind is Kind.PEER}
    assert len(accepted(tailnet, policy)) + len(rejected) == len(tailnet.peers)
    assert all(one.reason.text for one in rejected)


@given(tailnets, policies)
def test_no_server_lies_outside_the_trusted_ranges(tailnet: Tailnet, policy: Policy) -> None:
    for server in judge(tailnet, policy)[0]:
        assert any(ip_address(server.host) in network for network in (*RANGES, *policy.trusted_networks))
        assert not ip_address(server.host).is_loopback


@given(tailnets, policies)
def test_no_two_servers_share_a_key(tailnet: Tailnet, policy: Policy) -> None:
    keys = [one.key for one in (*own_servers(policy), *judge(tailnet, policy)[0])]
    assert len(keys) == len(set(keys))


@given(tailnets, policies)
def test_what_no_config_allows_is_never_asked(tailnet: Tailnet, policy: Policy) -> None:
    for peer in accepted(tailnet, policy):
        assert peer.id != tailnet.self.id
        assert not peer.expired
        assert not peer.shared_out
        assert MULLVAD_TAG not in peer.tags
        assert not any(matches(pattern, peer) for pattern in policy.deny)
        assert tailnet.tun


@given(tailnets, st.lists(st.integers(1, 65535), min_size=1, max_size=2, unique=True))
def test_without_a_config_only_own_nodes_are_asked(tailnet: Tailnet, ports: list[int]) -> None:
    for peer in accepted(tailnet, Policy(tuple(ports))):
        assert not peer.shared_in
        assert not tailnet.self.tags
        assert peer.tags or peer.user_id == tailnet.self.user_id


@given(tailnets, policies)
def test_the_order_of_peers_decides_nothing_where_ids_are_unique(tailnet: Tailnet, policy: Policy) -> None:
    peers = {peer.id: peer for peer in tailnet.peers}.values()
    there = Tailnet(tailnet.self, tuple(peers), tailnet.suffix, tailnet.tun)
    back = Tailnet(tailnet.self, tuple(reversed(peers)), tailnet.suffix, tailnet.tun)
    assert {one.key: one for one in judge(there, policy)[0]} == {one.key: one for one in judge(back, policy)[0]}


contenders = st.lists(
    st.builds(
        Contender,
        key=st.sampled_from("abcdef"),
        tier=st.integers(0, 2),
        rtt=st.none() | st.sampled_from([0.001, 0.012, 0.030, 0.031, 0.200]),
        models=st.sampled_from([None, (), ("a:1",), ("b:1",)]),
        held=st.booleans(),
    ),
    max_size=6,
    unique_by=lambda one: one.key,
)
currents = st.sampled_from([None, *"abcdef"])


@given(field=contenders, current=currents, required=st.sampled_from([(), (("a:1",),)]), provisional=st.booleans())
def test_the_choice_is_one_of_the_healthy_and_does_not_hang_on_their_order(
    field: list[Contender], current: str | None, required: tuple[tuple[str, ...], ...], *, provisional: bool
) -> None:
    choice = choose(field, current, required=required, provisional=provisional)
    assert choice == choose(field[::-1], current, required=required, provisional=provisional)
    assert (choice.key is None) == (not field)
    assert set(choice.standings) == {one.key for one in field}
    assert [key for key, standing in choice.standings.items() if standing is Standing.CHOSEN] == (
        [choice.key] if field else []
    )


@given(field=contenders, current=currents, required=st.sampled_from([(), (("a:1",),)]), provisional=st.booleans())
def test_who_was_chosen_is_chosen_again_while_nothing_changes(
    field: list[Contender], current: str | None, required: tuple[tuple[str, ...], ...], *, provisional: bool
) -> None:
    first = choose(field, current, required=required, provisional=provisional).key
    assert choose(field, first, required=required, provisional=provisional).key == first


@given(contenders, st.sampled_from("abcdef"))
def test_who_is_held_down_displaces_no_healthy_incumbent(field: list[Contender], current: str) -> None:
    winner = next((one for one in field if one.key == choose(field, current).key), None)
    if current in {one.key for one in field} and winner is not None and winner.key != current:
        assert not winner.held
