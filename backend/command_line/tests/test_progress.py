from io import StringIO

from rich.console import Console

from backend.command_line.batch import Stage, Work
from backend.command_line.orders import Order, parse_orders
from backend.command_line.progress import progress


def work(name: str) -> Work:
    (order,) = parse_orders(f"https://huggingface.co/falcon/{name}")
    assert isinstance(order, Order)
    return Work(order)


def test_a_terminal_shows_each_model_its_stage_and_its_requests() -> None:
    shown = StringIO()
    console = Console(file=shown, force_terminal=True, width=120)
    owl = work("owl")
    with progress(console, 2) as watch:
        watch(owl)
        owl.stage, owl.budget.requests = Stage.GATHERING, 7
        watch(owl)
        owl.stage = Stage.SCORING
        watch(owl)
        console.print("a line between")
        owl.stage = Stage.RATED
        watch(owl)

    text = shown.getvalue()
    assert "owl" in text
    assert "scoring, 7 requests" in text
    assert "0/2" in text
    assert "1/2" in text


def test_a_file_gets_plain_lines() -> None:
    shown = StringIO()
    owl = work("owl")
    with progress(Console(file=shown), 1) as watch:
        for stage in Stage:
            if stage is not Stage.FAILED:
                owl.stage = stage
                watch(owl)

    assert shown.getvalue() == "owl: gathering evidence\nowl: rated, 0 requests (1 of 1)\n"
