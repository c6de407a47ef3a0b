"""A static server's name to an address, in a thread that nobody has to wait for: the resolver may hang."""

import asyncio
import contextlib
import ipaddress
import socket
import threading


async def resolve(host: str, port: int) -> str:
    """The first address, IPv4 before IPv6. Raises OSError or ValueError; the caller sets the time.

    Not in asyncio's own threads: those are joined at the end of the program, however long they take.
    """
    if is_address(host):
        return host
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()

    def tell(address: str, problem: Exception | None) -> None:
        if answer.done():
            return
        if problem is not None:
            answer.set_exception(problem)
        else:
            answer.set_result(address)

    def ask() -> None:
        address, problem = "", None
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            address = str(min(found, key=lambda one: one[0] != socket.AF_INET)[4][0])
        except (OSError, ValueError) as error:
            problem = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, address, problem)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    return await answer


def is_address(host: str) -> bool:
    """Whether nothing need be asked."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
