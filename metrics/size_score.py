"""Size: will the model's weights run on this device?"""

import re
from collections.abc import Mapping

from metrics.evidence import Evidence
from metrics.metric import Finding, Kind, Metric, MetricResult
from metrics.points import could_not_judge, note, unjudged
from metrics.weights import WeightSet, smallest_complete

MB = 10**6
GB = 10**9

BUDGET_BYTES: Mapping[str, int] = {
    "raspberry_pi": 512 * MB,
    "jetson_nano": 640 * MB,
    "desktop_pc": 16 * GB,
    "aws_server": 128 * GB,
}
"""Bytes of weights a device can hold beside its system.

A Raspberry Pi has 1 GB and keeps half of it for the system; a Jetson Nano has 2 GB, most of which the system, CUDA
and the framework take; a desktop 16 GB of graphics or free main memory; a server 128 GB.
"""

BYTES_PER_PARAMETER = 2
"""Half precision, in which the base of an adapter is commonly loaded."""

_PARAMETERS = re.compile(r"(?<![A-Za-z0-9.])(\d{1,4}(?:\.\d{1,3})?)\s?([bm])(?![A-Za-z0-9])", re.IGNORECASE)


def fits(size_bytes: int, budget_bytes: int) -> float:
    """How well weights fit: 1 for none, falling with the square of the share of the budget, 0 from the budget on.

    The square keeps small models near 1 and makes the last tenths of memory dear, as activations need them too.
    """
    return max(0.0, 1.0 - (size_bytes / budget_bytes) ** 2)


def measure(evidence: Evidence) -> MetricResult:
    """Grade the smallest complete set of weights against each device's budget; the score is the mean over devices.

    An adapter also needs its base model, whose size is read from the parameter count in the base's name.
    """
    if unjudged(evidence.files):
        return _all_zero(could_not_judge(evidence.files, "the file list"))
    found = smallest_complete(evidence.files.otherwise(()))
    if found is None:
        remedy = "Upload a complete set of weights, best as safetensors."
        finding = Finding(Kind.COSTS, "No complete set of weights among the files", 0.0, remedy, evidence.files.source)
        return _all_zero(MetricResult(0.0, (finding,)))
    base_bytes = _base_bytes(evidence) if found.is_adapter else 0
    return _graded(evidence, found, base_bytes)


def _graded(evidence: Evidence, found: WeightSet, base_bytes: int | None) -> MetricResult:
    total = found.size_bytes + (base_bytes or 0)
    parts = {device: fits(total, budget) for device, budget in BUDGET_BYTES.items()}
    findings = [note(_described(found, base_bytes), source=evidence.files.source)]
    findings += [_device_finding(device, total, share) for device, share in parts.items()]
    confidence = 0.5 if base_bytes is None else 1.0
    return MetricResult(sum(parts.values()) / len(parts), tuple(findings), confidence=confidence, parts=parts)


def _described(found: WeightSet, base_bytes: int | None) -> str:
    what = (
        f"{found.size_bytes / MB:,.0f} MB of {found.format} in {len(found.files)} file(s), from {found.files[0].path}"
    )
    if not found.is_adapter:
        return f"Smallest complete weights: {what}"
    if base_bytes is None:
        return f"An adapter: {what}; its base model is needed as well and its size is not known"
    return f"An adapter: {what}; its base model adds about {base_bytes / MB:,.0f} MB, by its name"


def _device_finding(device: str, total: int, share: float) -> Finding:
    budget = BUDGET_BYTES[device]
    summary = f"{device}: {total / MB:,.0f} MB of {budget / MB:,.0f} MB gives {share:.2f}"
    remedy = "" if share > 1 / 2 else "Offer a smaller or quantised variant."
    return Finding(Kind.GIVES if share else Kind.COSTS, summary, share / len(BUDGET_BYTES), remedy)


def _base_bytes(evidence: Evidence) -> int | None:
    named = evidence.config.otherwise({}).get("base_model_name_or_path")
    record = evidence.model.value
    names = [named if isinstance(named, str) else "", *(record.card.base_models if record else ())]
    for match in filter(None, (_PARAMETERS.search(name.replace("_", "-")) for name in names)):
        scale = GB if match[2].lower() == "b" else MB
        return int(float(match[1]) * scale * BYTES_PER_PARAMETER)
    return None


def _all_zero(result: MetricResult) -> MetricResult:
    return MetricResult(0.0, result.findings, result.confidence, dict.fromkeys(BUDGET_BYTES, 0.0))


METRIC = Metric(
    name="size_score",
    question="Will it run on this device?",
    weight=0.13,
    measure=measure,
    reads=("files", "config", "model"),
    scale=(
        *(f"{device}: max(0, 1 - (bytes / {budget / MB:,.0f} MB)^2)" for device, budget in BUDGET_BYTES.items()),
        "score: mean over the devices",
    ),
)
