"""Names, terms and compatibility of licences."""

import pytest

from metrics.licenses import Family, compatible, normalise, stated_license, terms_of


@pytest.mark.parametrize(
    ("name", "expression"),
    [
        ("mit", "MIT"),
        ("Apache License 2.0", "Apache-2.0"),
        ("license:bsd-3-clause", "BSD-3-Clause"),
        ("mit or apache-2.0", "MIT OR Apache-2.0"),
        ("creativeml-openrail-m", "LicenseRef-CreativeML-OpenRAIL-M"),
        ("NOASSERTION", None),
        ("unknown", None),
        ("", None),
        (None, None),
        ("(MIT OR", "LicenseRef-MIT-OR"),
    ],
)
def test_normalise(name: str | None, expression: str | None) -> None:
    assert normalise(name) == expression


def test_licences_stated_together_hold_together() -> None:
    assert stated_license(["mit or apache-2.0", "cc-by-4.0"]) == "CC-BY-4.0 AND (MIT OR Apache-2.0)"


@pytest.mark.parametrize(
    ("expression", "family"),
    [
        ("MIT", Family.PERMISSIVE),
        ("GPL-3.0-only OR MIT", Family.PERMISSIVE),
        ("GPL-3.0-only AND MIT", Family.STRONG_COPYLEFT),
        ("MIT AND (CC-BY-NC-4.0 OR MPL-2.0)", Family.WEAK_COPYLEFT),
        ("Apache-2.0 WITH LLVM-exception", Family.PERMISSIVE),
        ("CC-BY-NC-ND-3.0", Family.NON_COMMERCIAL),
        ("LicenseRef-house-rules", Family.CUSTOM),
        (None, Family.NONE),
    ],
)
def test_family(expression: str | None, family: Family) -> None:
    assert terms_of(expression).family is family


@pytest.mark.parametrize(
    ("model", "code", "fine_tuning", "inference"),
    [
        pytest.param("Apache-2.0", "Apache-2.0", True, True, id="permissive both"),
        pytest.param("Apache-2.0", "LGPL-2.1-only", True, True, id="a permissive model beside LGPL code"),
        pytest.param("Apache-2.0", "GPL-2.0-only", True, True, id="a permissive model beside GPL code"),
        pytest.param("GPL-2.0-only", "Apache-2.0", False, True, id="GPL-2 weights take Apache code in"),
        pytest.param("GPL-3.0-only", "GPL-2.0-only", False, True, id="GPL 3 and GPL 2 only"),
        pytest.param("GPL-3.0-only", "MIT", True, True, id="GPL weights, permissive code"),
        pytest.param("LicenseRef-OpenRAIL", "MIT", True, True, id="use restrictions, permissive code"),
        pytest.param("LicenseRef-OpenRAIL", "GPL-3.0-only", False, True, id="use restrictions against copyleft"),
        pytest.param("CC-BY-SA-4.0", "MIT", True, True, id="share alike"),
        pytest.param("CC-BY-ND-4.0", "MIT", False, True, id="no derivatives"),
        pytest.param("CC-BY-NC-4.0", "MIT", False, False, id="non-commercial model"),
        pytest.param("MIT", "CC-BY-NC-4.0", False, False, id="non-commercial code"),
        pytest.param("LicenseRef-house-rules", "MIT", False, False, id="unread terms"),
        pytest.param(None, "Apache-2.0", False, False, id="a model without a licence"),
        pytest.param("MIT", None, False, False, id="code without a licence"),
    ],
)
def test_compatible(model: str | None, code: str | None, fine_tuning: bool, inference: bool) -> None:
    answer = compatible(model, code)

    assert (answer.fine_tuning, answer.inference) == (fine_tuning, inference)
    assert answer.allowed is (fine_tuning and inference)
    assert len(answer.reasons) >= 3


def test_a_refusal_says_why() -> None:
    assert "no stated licence" in compatible(None, "MIT").reasons[-1]
