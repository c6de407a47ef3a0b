"""One connection, awaited: the name is resolved, a second SYN follows the first, and no socket is left over."""

import asyncio
import socket

from ollama_locate.core.constants import SYN_HEDGE

from .dial import Dial, Waits, Wire
from .resolve import resolve


async def connect(wire: Wire, host: str, port: int, patience: float, hedge: float = SYN_HEDGE) -> socket.socket | None:
    """A connected socket, the caller's to close; None where there is none after `patience` seconds.

    The resolver has as long again; the second SYN leaves after `hedge` seconds. Who cancels this gets nothing, and
    what arrives then is closed.
    """
    stands: asyncio.Future[socket.socket | None] = asyncio.get_running_loop().create_future()

    def tell(sock: socket.socket | None) -> None:
        if not stands.done():
            stands.set_result(sock)
        elif sock is not None:
            sock.close()

    try:
        async with asyncio.timeout(patience):
            address = await resolve(host, port)
    except (OSError, ValueError, TimeoutError):
        return None
    dial = Dial(wire, (address, port), Waits(patience, hedge), tell, lambda *_: tell(None), lambda: None)
    try:
        return await stands
    except asyncio.CancelledError:
        if not stands.cancelled() and (late := stands.result()) is not None:
            late.close()
        raise
    finally:
        dial.cancel()
