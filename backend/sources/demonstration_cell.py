"""Builds the cell that a demonstration runs in, and runs it there.

Started as a program of its own, as the first process of fresh namespaces; it uses nothing but the standard library.
It shows the interpreter and the system's libraries read-only, gives one small folder in memory to write to, and takes
every privilege away. Any step that fails ends it before the first line of the demonstration.
"""

import contextlib
import ctypes
import json
import os
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

READY = b"ready"
"""Written to the pipe in `ready_fd` once the cell is closed; whatever ends before it never ran the demonstration."""

WORK = "/cell"

_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC = 2, 4, 4096, 16384
_ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV = 1, 2, 4
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_SYS_MOUNT_SETATTR = 442  # the same on every architecture, since Linux 5.12
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 24, 38
_CAPABILITIES = 64
_SIZE_OF_ATTR = 32
_SIGNALLED = 128
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache")

_libc = ctypes.CDLL(None, use_errno=True)


def main(order: Mapping[str, Any]) -> int:
    """Build the cell in the folder `root`, run the demonstration, and return its exit status."""
    if os.getpid() != 1:
        raise OSError("this process has no namespace of its own")  # and what follows would change the host
    driver = Path(order["driver"]).read_text("utf-8")
    blocks = sys.stdin.read()
    _first_to_go_when_memory_runs_out()
    _build(order["root"], [*_SYSTEM, *order["shown"]], order["room_bytes"])
    Path(order["root"] + WORK, "blocks.json").write_text(blocks, "utf-8")
    Path(order["root"] + WORK, "blocks.json").chmod(0o666)
    _enter(order["root"])
    _give_up_privileges()
    os.write(order["ready_fd"], READY)
    os.close(order["ready_fd"])
    child = os.fork()
    if child == 0:
        _become(order, driver)
    return _status_of(child)


def _first_to_go_when_memory_runs_out() -> None:
    Path("/proc/self/oom_score_adj").write_text("1000", "ascii")


def _build(root: str, shown: list[str], room_bytes: int) -> None:
    _mount("tmpfs", root, "tmpfs", _MS_NOSUID | _MS_NODEV, "size=1m,mode=755")
    done: list[str] = []
    for path in sorted(shown):
        if Path(path).is_symlink() and path in _SYSTEM:
            Path(root + path).symlink_to(Path(path).readlink())
        elif Path(path).exists() and not any(Path(path).is_relative_to(whole) for whole in done):
            _show(path, root + path)
            done.append(path)
    for device in _DEVICES:
        _bind(device, root + device)
    Path(root + WORK).mkdir()
    _mount("tmpfs", root + WORK, "tmpfs", _MS_NOSUID | _MS_NODEV, f"size={room_bytes},mode=777")
    if not Path(root, "tmp").exists():
        Path(root, "tmp").symlink_to(WORK)
    _set_attributes(root, _ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV, recursive=False)


def _show(path: str, place: str) -> None:
    _bind(path, place)
    _set_attributes(place, _ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV, recursive=True)


def _bind(path: str, place: str) -> None:
    Path(place).parent.mkdir(parents=True, exist_ok=True)
    if Path(path).is_dir():
        Path(place).mkdir(exist_ok=True)
    else:
        Path(place).touch()
    _mount(path, place, None, _MS_BIND | _MS_REC, None)


def _enter(root: str) -> None:
    """Make `root` the root; a process in it cannot begin a user namespace, by which it could undo that."""
    os.chdir(root)
    os.chroot(".")
    os.chdir(WORK)


def _give_up_privileges() -> None:
    """Nothing started from here on has a capability, or gains one from a file."""
    for capability in range(_CAPABILITIES):
        _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails for numbers the kernel has no use for
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")


def _become(order: Mapping[str, Any], driver: str) -> None:
    """Turn into the demonstration's process: no input, no open files, no environment to speak of, and limits."""
    try:
        nothing = os.open("/dev/null", os.O_RDONLY)
        os.dup2(nothing, 0)
        os.closerange(3, 1024)
        for name, most in order["limits"].items():
            resource.setrlimit(getattr(resource, name), (most, most))
        if order["user"] is not None:
            os.setgroups([])
            os.setresgid(*[order["user"]] * 3)
            os.setresuid(*[order["user"]] * 3)
        os.execve(order["python"], [order["python"], "-I", "-u", "-c", driver], order["environment"])  # noqa: S606
    except BaseException as error:  # noqa: BLE001 - the child must not go on as its parent
        with contextlib.suppress(OSError):
            os.write(2, f"{error}\n".encode())
        os._exit(71)


def _status_of(child: int) -> int:
    """Wait for the demonstration; what it left running ends with this process, the first of its namespace."""
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else _SIGNALLED - code


def _mount(source: str, target: str, kind: str | None, flags: int, data: str | None) -> None:
    parts = [None if part is None else part.encode() for part in (source, target, kind, data)]
    _check(_libc.mount(parts[0], parts[1], parts[2], ctypes.c_ulong(flags), parts[3]), f"mount of {target}")


def _set_attributes(target: str, attributes: int, *, recursive: bool) -> None:
    wanted = (ctypes.c_uint64 * 4)(attributes, 0, 0, 0)
    how = _AT_RECURSIVE if recursive else 0
    done = _libc.syscall(
        ctypes.c_long(_SYS_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        target.encode(),
        ctypes.c_uint(how),
        ctypes.byref(wanted),
        ctypes.c_size_t(_SIZE_OF_ATTR),
    )
    _check(done, f"read-only mount of {target}")


def _check(answer: int, what: str) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    try:
        sys.exit(main(json.loads(sys.argv[1])))
    except OSError as error:
        sys.exit(f"the cell could not be built: {error}")
