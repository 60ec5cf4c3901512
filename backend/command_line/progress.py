"""How far the work is, on standard error: a line for each model under way, or plain lines where nobody watches."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from backend.command_line.batch import Stage, Watcher, Work

_OVER = frozenset({Stage.RATED, Stage.FAILED})


@contextmanager
def progress(console: Console, total: int) -> Iterator[Watcher]:
    """Show the progress of `total` models on `console` while the block runs; gives what is to be told of it."""
    if not console.is_terminal:
        yield _Lines(console, total)
        return
    overall = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[told]}", markup=False),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        redirect_stdout=False,  # what is on standard output is for the next program, not for this console
    )
    with overall:
        yield _Bars(overall, total)


class _Lines:
    """One line for each model that begins and one for each that ends."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._done = 0

    def __call__(self, work: Work, /) -> None:
        if work.stage in _OVER:
            self._done += 1
            told = f"{work.stage}, {work.budget.requests} requests ({self._done} of {self._total})"
        elif work.stage is Stage.GATHERING:
            told = str(work.stage)
        else:
            return
        self._console.print(f"{work.name}: {told}", markup=False, highlight=False, soft_wrap=True)


class _Told:
    """What stands behind a bar; asked anew at each refresh, so that the count of requests runs."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def __format__(self, _: str) -> str:
        return f"{self._work.stage}, {self._work.budget.requests} requests"


class _Bars:
    """One bar for everything, and one for each model under way."""

    def __init__(self, shown: Progress, total: int) -> None:
        self._shown = shown
        self._all = shown.add_task("all models", total=total, told="")
        self._under_way: dict[int, TaskID] = {}

    def __call__(self, work: Work, /) -> None:
        if work.stage is Stage.GATHERING:
            self._under_way[work.order.line] = self._shown.add_task(work.name, total=None, told=_Told(work))
        elif work.stage in _OVER:
            self._shown.remove_task(self._under_way.pop(work.order.line))
            self._shown.advance(self._all)
        self._shown.refresh()
