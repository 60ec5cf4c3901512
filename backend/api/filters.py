"""The filters and the order of `GET /artifacts/{type}`, from query parameters to a listing."""

import math
import re
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import Depends, Query
from pydantic import AwareDatetime, BeforeValidator, StringConstraints

from backend.api.deps import KindPath
from backend.api.schemas import MAX_NAME
from backend.domain.errors import InvalidInput
from backend.domain.listing import Listing, ScoreRange, Sort
from backend.domain.page import decode_cursor
from backend.domain.rating import NET_SCORE
from metrics.catalog import CATALOG

RATED = (NET_SCORE, *(metric.name for metric in CATALOG))
MAX_BOUNDS = 2 * len(RATED)
LONGEST_CURSOR = 8_000
"""The cursor of an order by name holds a whole name, which base64 and escapes make some eight times as long."""

Part = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME, pattern=r"^[^\x00-\x1f\x7f]+$")]
Spdx = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME, pattern=r"^[\x20-\x7e]+$")]
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)


def _is_date_time(given: object) -> object:
    # Pydantic alone would take numbers for seconds since the epoch as well.
    if not isinstance(given, str) or _RFC_3339.fullmatch(given) is None:
        raise ValueError("must be a date and time with an offset from UTC, as 2026-03-01T12:00:00Z")
    return given


Moment = Annotated[AwareDatetime, BeforeValidator(_is_date_time)]
Bounds = Annotated[list[str], Query(max_length=MAX_BOUNDS)]


def wanted(
    kind: KindPath,
    name: Annotated[Part | None, Query(description="Exactly this name.")] = None,
    text: Annotated[Part | None, Query(description="A part of the name, in any case.")] = None,
    license_expression: Annotated[
        Spdx | None, Query(alias="license", description="A whole SPDX expression, in any case.")
    ] = None,
    owner: Annotated[Part | None, Query(description="Who registered it.")] = None,
    created_from: Annotated[
        Moment | None, Query(description="Registered then or later, with an offset from UTC.")
    ] = None,
    created_before: Annotated[
        Moment | None, Query(description="Registered before then, with an offset from UTC.")
    ] = None,
    min_score: Annotated[
        Bounds, Query(description="The least a score may be, as `net_score:0.5` or `license:1`; may be repeated.")
    ] = [],  # noqa: B006 - FastAPI copies it
    max_score: Annotated[
        Bounds, Query(description="The most a score may be, as `net_score:0.5`; may be repeated.")
    ] = [],  # noqa: B006 - FastAPI copies it
    sort: Annotated[Sort, Query(description="What to order by; artifacts without such a value come last.")] = Sort.ID,
    order: Annotated[Literal["asc", "desc"], Query(description="Ascending or descending.")] = "asc",
) -> Listing:
    """The listing that was asked for."""
    least, most = _bounds("min_score", min_score), _bounds("max_score", max_score)
    return Listing(
        types=frozenset({kind}),
        name=name,
        text=text,
        license=license_expression,
        owner=owner,
        created_from=created_from,
        created_before=created_before,
        scores=tuple(
            ScoreRange(metric, least.get(metric), most.get(metric)) for metric in RATED if metric in {*least, *most}
        ),
        sort=sort,
        descending=order == "desc",
    )


def _bounds(parameter: str, given: Sequence[str]) -> dict[str, float]:
    """The bound of each metric.

    Raises:
        InvalidInput: one is no metric with a number, or a metric has two.
    """
    bounds: dict[str, float] = {}
    for each in given:
        metric, _, value = each.partition(":")
        if metric not in RATED or metric in bounds:
            raise InvalidInput.field(parameter, f"must name each metric once, one of {', '.join(RATED)}")
        try:
            bounds[metric] = float(value)
        except ValueError:
            bounds[metric] = math.nan
        if not math.isfinite(bounds[metric]):
            raise InvalidInput.field(parameter, f"must be a metric and a number, as {metric}:0.5")
    return bounds


def _cursor(
    offset: Annotated[
        str | None, Query(description="The `offset` header of the page before.", max_length=LONGEST_CURSOR)
    ] = None,
) -> str | None:
    """Where to go on."""
    return decode_cursor(offset)


Wanted = Annotated[Listing, Depends(wanted)]
AfterInOrder = Annotated[str | None, Depends(_cursor)]
