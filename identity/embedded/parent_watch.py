"""Become a program that the kernel ends when the supervisor dies, under another user id if asked.

Run by its path with ``python -I -S``, before any privilege is dropped; it imports nothing of the project.
Arguments: the supervisor's pid, the signal, ``uid:gid`` or ``-``, then the program and its arguments.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def drop_privileges(ids: str) -> None:
    """Become ``uid:gid`` and lose every other group."""
    uid, _, gid = ids.partition(":")
    os.setgroups([])
    os.setgid(int(gid))
    os.setuid(int(uid))


def die_with(supervisor: int, number: int) -> None:
    """Ask the kernel for the signal, and go at once if the supervisor is gone already."""
    if sys.platform != "linux":
        return
    # Set after the user id changed: a change of credentials clears it (prctl(2)).
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != supervisor:
        sys.exit(1)


def main(arguments: list[str]) -> None:
    """Turn into the program."""
    supervisor, number, ids, *command = arguments
    if ids != "-":
        drop_privileges(ids)
    die_with(int(supervisor), int(number))
    # Python ignores SIGPIPE and the supervisor blocks nothing: a program must start with plain signals.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execv(command[0], command)  # noqa: S606 - the command is the supervisor's own


if __name__ == "__main__":
    main(sys.argv[1:])
