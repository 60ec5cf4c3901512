"""A rating as one line of JSON."""

import json

from backend.command_line.batch import Rated
from metrics.catalog import CATALOG
from metrics.rating import Rating

CATEGORY = "MODEL"
"""Every line is about a model; the word tells it from lines about other artifacts in the same stream."""


def line(rated: Rated) -> str:
    """Write a rating: each score is followed by its latency in whole milliseconds."""
    rating = rated.stored.rating
    latencies = {"net_score": rating.net_latency_s}
    latencies |= {name: measured.latency_s for name, measured in rating.metrics.items()}
    fields: dict[str, object] = {"name": rated.name, "category": CATEGORY}
    for name, score in scores(rating).items():
        fields[name] = score
        fields[f"{name}_latency"] = round(latencies[name] * 1000)
    return json.dumps(fields)


def scores(rating: Rating) -> dict[str, float | dict[str, float]]:
    """Every score, rounded to two places, the net score first; `size_score` by device."""
    found: dict[str, float | dict[str, float]] = {"net_score": round(rating.net_score, 2)}
    for metric in CATALOG:
        result = rating.metrics[metric.name].result
        parts = {part: round(score, 2) for part, score in (result.parts or {}).items()}
        found[metric.name] = parts or round(result.score, 2)
    return found
