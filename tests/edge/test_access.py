"""The files of a static server: headers with a token, and a private authority."""

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from ollama_locate.core.bounds import CA_MAX_BYTES, HEADERS_MAX_BYTES
from ollama_locate.core.errors import OperatorError
from ollama_locate.core.server import Needs
from ollama_locate.edge.access import Access, access, parse_headers, read_access

WORD = "s3cret-t0ken"


def secret(path: Path, content: bytes = f"Authorization: Bearer {WORD}\n".encode()) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


def test_headers_are_read_as_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "headers"
    secret(path, f"# for the office\n\nAuthorization: Bearer {WORD}\nX-Team:\t a b \n".encode())
    found = read_access(Needs(str(path)))
    assert found.headers == (("Authorization", f"Bearer {WORD}"), ("X-Team", "a b"))
    assert found.trust() is None


def test_what_was_read_is_never_printed() -> None:
    assert WORD not in repr(Access((("Authorization", WORD),), WORD))


def test_they_may_lie_below_the_home_folder(home: Path) -> None:
    secret(home / "headers")
    assert read_access(Needs("~/headers")).headers


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"", "holds no header", id="empty"),
        pytest.param(b"# nothing\n\n", "holds no header", id="comments only"),
        pytest.param(b"%s\n", ":1 is not `Name: value`", id="the token alone"),
        pytest.param(b"X: a\nBearer %s: x\n", ":2 is not `Name: value`", id="a blank in the name"),
        pytest.param(b"X:\n", ":1 has no value", id="no value"),
        pytest.param(b"X: %s\r\n", ":1 has no value, or one with other characters", id="Windows' line ends"),
        pytest.param(b"X: a\rHost: %s\n", ":1 has no value, or one", id="a second header behind a CR"),
        pytest.param(b"X: %s\0\n", ":1 has no value, or one", id="a NUL"),
        pytest.param(b"X: %s\x1b[2J\n", ":1 has no value, or one", id="an escape"),
        pytest.param("X: %s\u00e9\n".encode(), ":1 has no value, or one", id="beyond ASCII"),
        pytest.param(b"\xff\xfe\x00%s", ":1 is not `Name: value`", id="another encoding"),
        pytest.param(b"Host: %s\n", ":1 has a header that ollama-locate must set", id="Host"),
        pytest.param(b"transfer-encoding: %s\n", ":1 has a header that ollama-locate must", id="how it is read"),
        pytest.param(b"X: a\nx: %s\n", ":2 has a header that stands there already", id="twice"),
        pytest.param(b"".join(b"X%d: %%s\n" % n for n in range(17)), ":17 is one too many", id="too many"),
    ],
)
def test_a_mistake_is_called_by_its_line_and_nothing_else(content: bytes, sentence: str) -> None:
    with pytest.raises(OperatorError) as caught:
        parse_headers(content.replace(b"%s", WORD.encode()), "/h")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert WORD not in str(caught.value)


def missing(_: Path) -> None:
    pass


def pipe(path: Path) -> None:
    os.mkfifo(path, 0o600)


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
    path.chmod(0o600)


def link(path: Path) -> None:
    secret(path.with_name("other"))
    path.symlink_to("other")


def huge(path: Path) -> None:
    secret(path, b"X: " + b"a" * HEADERS_MAX_BYTES)


def of_all(path: Path) -> None:
    secret(path)
    path.chmod(0o604)


def of_the_group(path: Path) -> None:
    secret(path)
    path.chmod(0o620)


def of_another(path: Path) -> None:
    secret(path)
    os.chown(path, 12345, 12345)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        pytest.param(missing, "cannot read {}: No such file or directory", id="missing"),
        pytest.param(pipe, "{} is no regular file", id="a pipe that nobody writes to"),
        pytest.param(a_socket, "cannot read {}: No such device or address", id="a socket"),
        pytest.param(lambda path: path.mkdir(), "cannot read {}: Is a directory", id="a folder"),
        pytest.param(link, "{} is a symbolic link; name the file itself", id="a link"),
        pytest.param(huge, "{} is larger than 16 KiB", id="huge"),
        pytest.param(of_all, "{} holds a secret, and others may read or write it; chmod 600", id="for everybody"),
        pytest.param(of_the_group, "{} holds a secret, and others may", id="for the group to write"),
        pytest.param(
            of_another,
            "{} belongs to uid 12345",
            id="another's",
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away"),
        ),
    ],
)
def test_a_hostile_file_is_one_clear_line(make: Callable[[Path], None], sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "headers"
    make(path)
    with pytest.raises(OperatorError) as caught:
        asyncio.run(access(Needs(str(path))))
    assert str(caught.value).startswith(sentence.format(path))
    assert WORD not in str(caught.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root reads what is root's alone")
def test_a_file_of_roots_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "headers"
    secret(path)
    path.chmod(0o400)
    assert read_access(Needs(str(path))).headers


def test_an_authority_is_the_only_one_that_is_believed(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes("# le n\u00f4tre\n".encode() + trustme.CA().cert_pem.bytes())
    link_to_it = tmp_path / "link.pem"
    link_to_it.symlink_to(path)
    context = read_access(Needs(ca=str(link_to_it))).trust()
    assert context is not None
    assert len(context.get_ca_certs()) == 1
    assert context.check_hostname


@pytest.mark.parametrize(
    ("content", "mode", "sentence"),
    [
        pytest.param(b"", 0o644, "is no certificate of an authority (PEM", id="empty"),
        pytest.param(b"\x30\x82\x01", 0o644, "is no certificate of an authority (PEM", id="binary"),
        pytest.param(b"-----BEGIN CERTIFICATE-----\nAAAA\n", 0o644, "is no certificate", id="half of one"),
        pytest.param(b"a" * (CA_MAX_BYTES + 1), 0o644, "is larger than 1024 KiB", id="huge"),
        pytest.param(b"", 0o666, "others can write", id="for everybody to write"),
    ],
)
def test_a_broken_authority_is_one_clear_line(content: bytes, mode: int, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(OperatorError) as caught:
        read_access(Needs(ca=str(path)))
    assert sentence in str(caught.value)


def test_a_disk_that_hangs_does_not_hold_the_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is what is tested: the real one is 2 s."""
    monkeypatch.setattr("ollama_locate.edge.access.ACCESS_PATIENCE", 0.0)
    with pytest.raises(OperatorError, match=r"^/h cannot be read within 0 s$"):
        asyncio.run(access(Needs("/h")))


def test_what_wants_nothing_reads_nothing() -> None:
    assert asyncio.run(access(Needs())) == Access()
