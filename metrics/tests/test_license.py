"""License: from what is stated, wherever it is stated, to a grade with its reason."""

import pytest

from metrics.evidence import CardData, Evidence, Missing
from metrics.license import METRIC, model_license
from metrics.metric import Kind
from metrics.tests.factories import code, evidence, files, known, lacking, model, repo

PLAIN_CARD = "# A model\n\nIt does things."


def stating(*licenses: str, name: str | None = None, link: str | None = None) -> Evidence:
    return evidence(card=known(PLAIN_CARD), model=model(card=CardData(licenses, name, link)))


@pytest.mark.parametrize(
    ("gathered", "score", "expression"),
    [
        pytest.param(stating("apache-2.0"), 1.0, "Apache-2.0", id="permissive"),
        pytest.param(stating("lgpl-2.1"), 1.0, "LGPL-2.1-only", id="the organisation's own"),
        pytest.param(stating("cc-by-sa-4.0"), 0.6, "CC-BY-SA-4.0", id="share alike"),
        pytest.param(stating("openrail"), 0.5, "LicenseRef-OpenRAIL", id="openrail"),
        pytest.param(stating("llama3.1"), 0.5, "LicenseRef-Llama-3.1", id="llama"),
        pytest.param(stating("other", name="gemma-terms"), 0.5, "LicenseRef-Gemma", id="other, known by its name"),
        pytest.param(stating("other", name="house-rules"), 0.2, "LicenseRef-house-rules", id="other, unknown"),
        pytest.param(stating("other", link="LICENSE.md"), 0.2, "LicenseRef-Custom", id="other, only a link"),
        pytest.param(stating("other"), 0.0, None, id="other, nothing more"),
        pytest.param(stating("gpl-3.0"), 0.0, "GPL-3.0-only", id="strong copyleft"),
        pytest.param(stating("cc-by-nc-4.0"), 0.0, "CC-BY-NC-4.0", id="non-commercial"),
        pytest.param(stating("cc-by-nd-4.0"), 0.0, "CC-BY-ND-4.0", id="no derivatives"),
        pytest.param(stating("mit", "cc-by-nc-4.0"), 0.0, "CC-BY-NC-4.0 AND MIT", id="of several the strictest"),
        pytest.param(stating("unknown"), 0.0, None, id="unknown"),
        pytest.param(stating(), 0.0, None, id="none"),
        pytest.param(
            evidence(card=known(PLAIN_CARD), model=model(card=CardData(), tags=("license:mit",))),
            1.0,
            "MIT",
            id="hub tag",
        ),
        pytest.param(
            evidence(card=known("# M\n\n## License\n\nReleased under the MIT license."), model=model(card=CardData())),
            1.0,
            "MIT",
            id="license heading",
        ),
        pytest.param(
            evidence(card=known("# M\n\n- **License:** Apache 2.0\n"), model=model(card=CardData())),
            1.0,
            "Apache-2.0",
            id="license label",
        ),
        pytest.param(
            evidence(card=known("# M\n\n- **License:** [More Information Needed]\n"), model=model(card=CardData())),
            0.0,
            None,
            id="a template's empty label",
        ),
    ],
)
def test_grade(gathered: Evidence, score: float, expression: str | None) -> None:
    assert METRIC.measure(gathered).score == score
    assert model_license(gathered) == expression


def test_a_licence_of_the_repository_alone_counts_half() -> None:
    gathered = evidence(card=known(PLAIN_CARD), model=model(card=CardData()), code=code(repo=repo(license_spdx="MIT")))

    result = METRIC.measure(gathered)

    assert result.score == 0.5
    assert "repository" in result.findings[0].summary


def test_a_licence_file_is_pointed_out_where_the_card_states_none() -> None:
    gathered = evidence(card=known(PLAIN_CARD), model=model(card=CardData()), files=files("LICENSE"))

    assert any("LICENSE is there" in finding.summary for finding in METRIC.measure(gathered).findings)


def test_an_outage_of_the_hub_is_not_a_missing_licence() -> None:
    result = METRIC.measure(evidence(model=lacking(Missing.RATE_LIMITED), card=lacking(Missing.UNAVAILABLE)))

    assert result.confidence == 0
    assert result.findings[0].kind is Kind.MISSING
