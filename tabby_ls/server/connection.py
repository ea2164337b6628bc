"""The conversation with the one client of this process: its messages are handled until something ends it.

They are handled in turns, so that a burst of them leaves the event loop time for other tasks.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from tabby_ls.server.framing import Unframer
from tabby_ls.server.protocol import ServerProtocol, describe

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

logger = logging.getLogger(__name__)

Chunks: TypeAlias = AsyncGenerator[bytes, None]
OnEnd: TypeAlias = Callable[[], Awaitable[object]]

SLICE_SECONDS = 0.004
"""How long messages that wait in line may be handled before other tasks get their turn."""
CLIENT_CHECK_SECONDS = 3.0
"""How often to look whether the client's process still exists."""
SETTLE_SECONDS = 2.0
"""How long after `initialize` the garbage collector stays off: until what a first suggestion needs is imported."""
END_SECONDS = 2.0
"""How long each part of the end may take."""


class Connection:
    """The conversation with the client. Made and used inside a running event loop.

    Over when `end` is called: by the transport when the client is gone, by `exit`, by SIGTERM or SIGINT.
    """

    def __init__(self, server: LanguageServer, on_end: OnEnd | None = None) -> None:
        """Take over `server`, whose protocol is a `ServerProtocol`; `on_end` runs before the process ends."""
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = self._loop.create_future()
        self._server = server
        self._on_end = on_end
        self._settling: asyncio.TimerHandle | None = None
        self._turn_began = 0.0
        self.protocol = cast(ServerProtocol, server.protocol)
        self.protocol.on_exit = self.end

    def end(self, status: int) -> None:
        """Have `run` return with this exit status; only the first call counts."""
        if not self._ended.done():
            self._ended.set_result(status)

    def lose_client(self) -> None:
        """End because the client cannot be reached; the exit status is 0 only if it has sent `shutdown`."""
        self.end(self.protocol.exit_status)

    async def handle(self, body: bytes | str) -> None:
        """Handle one message, then let other tasks run if messages have had the loop for a while."""
        if self._ended.done():
            return
        if self.protocol.receive(body):
            # Its handler sees the documents as they are now, before the messages behind it change them.
            await asyncio.sleep(0)
        if self._settling is None and self.protocol.initialized:
            self._settling = self._loop.call_later(SETTLE_SECONDS, _settle)
        if self._loop.time() - self._turn_began > SLICE_SECONDS:
            await asyncio.sleep(0)
            self._turn_began = self._loop.time()

    async def read(self, chunks: Chunks) -> None:
        """Handle the messages of a byte stream; its end is the client's."""
        unframer = Unframer()
        try:
            async with contextlib.aclosing(chunks):
                async for chunk in chunks:
                    for body in unframer.feed(chunk):
                        await self.handle(body)
        finally:
            self.lose_client()

    async def watch_client(self) -> None:
        """End when the process that `initialize` named is gone, even if it left its end of the pipe to another.

        A process that was never seen is in another container or on another machine: not watched.
        """
        seen = False
        while not seen or _exists(self._server.process_id):
            await asyncio.sleep(CLIENT_CHECK_SECONDS)
            seen = seen or _exists(self._server.process_id)
        self.lose_client()

    async def run(self, *jobs: Coroutine[Any, Any, None]) -> int:
        """Run jobs until the end and return the exit status."""
        self._loop.set_exception_handler(_log_unhandled)
        with self._ended_by_signals():
            tasks = [asyncio.create_task(job) for job in jobs]
            for task in tasks:
                task.add_done_callback(_log_failure)
            status = await self._ended
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._on_end is not None:
                await finish(self._on_end())
            self._server.shutdown()  # type: ignore[no-untyped-call]
            return status

    @contextlib.contextmanager
    def _ended_by_signals(self) -> Iterator[None]:
        # Windows' event loop and threads beside the main one take no signals; Ctrl-C is a KeyboardInterrupt there.
        unavailable = (NotImplementedError, RuntimeError, ValueError)
        signals = (signal.SIGTERM, signal.SIGINT)
        with contextlib.suppress(*unavailable):
            for number in signals:
                self._loop.add_signal_handler(number, self.end, 0)
        try:
            yield
        finally:
            with contextlib.suppress(*unavailable):
                for number in signals:
                    self._loop.remove_signal_handler(number)


def _settle() -> None:
    """Turn on the garbage collector, which looks at nothing that exists by now.

    For a process that started with `gc.disable()`: what it has imported stays for good, and looking through it
    takes the collector over 10 ms each time.
    """
    gc.freeze()
    gc.enable()


async def finish(work: Awaitable[object]) -> None:
    """Wait for the last work of a connection, but not long, and not caring for its errors."""
    try:
        async with asyncio.timeout(END_SECONDS):
            await work
    except Exception as error:
        logger.warning("did not end cleanly: %s", describe(error))


def _exists(process: int | None) -> bool:
    """Whether a process of this machine exists; only POSIX can tell without harm."""
    if os.name != "posix" or process is None or process <= 0:
        return False
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("the connection failed: %s", describe(error))


def _log_unhandled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """asyncio's own handler writes out arguments and messages, which may quote the user's text."""
    error = context.get("exception")
    logger.error("unhandled error in a task: %s", describe(error) if error else "unknown")
