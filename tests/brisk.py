"""Granian whose idle threads end after a second: its own least is five. Takes granian's arguments, or serves a leak."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from typing import Any

from granian import cli
from granian.server.mp import MPServer

IDLE = 1
_spawn = MPServer._spawn_worker


def spawn_briskly(server: MPServer, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - granian's own
    """Start a process whose threads end soon."""
    server.blocking_threads_idle_timeout = IDLE
    return _spawn(server, *arguments, **named)


def leaking(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Serve Cognate whose connections end with no thread, and no garbage collector that happens by."""
    from django.db.backends.signals import connection_created

    from identity.wsgi import application

    gc.disable()
    connection_created.disconnect(dispatch_uid="connections.created")
    return application(environ, start_response)


if __name__ == "__main__":
    MPServer._spawn_worker = spawn_briskly  # type: ignore[method-assign,assignment]
    cli.entrypoint()  # type: ignore[no-untyped-call]
