"""A rating as one line of JSON."""

import json

from backend.command_line.batch import Rated
from metrics.catalog import CATALOG

CATEGORY = "MODEL"
"""Every line is about a model; the word tells it from lines about other artifacts in the same stream."""


def line(rated: Rated) -> str:
    """Write a rating: each score is followed by its latency in whole milliseconds; scores are rounded to two places."""
    rating = rated.stored.rating
    fields: dict[str, object] = {"name": rated.name, "category": CATEGORY, "net_score": round(rating.net_score, 2)}
    fields["net_score_latency"] = _milliseconds(rating.net_latency_s)
    for metric in CATALOG:
        measured = rating.metrics[metric.name]
        parts = measured.result.parts
        fields[metric.name] = (
            {part: round(score, 2) for part, score in parts.items()} if parts else round(measured.result.score, 2)
        )
        fields[f"{metric.name}_latency"] = _milliseconds(measured.latency_s)
    return json.dumps(fields)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
