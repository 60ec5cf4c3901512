"""Whether a model's licence and a code project's licence go together, for fine-tuning and for inference.

The table is our own, and its reading is this. Weights are data that a program loads; they are not linked into it. So
a model and a program that are shipped side by side are an aggregate, and each keeps its licence: an Apache-2.0 model
may be shipped beside LGPL-2.1-only code, although the two texts could not be merged into one source file (the patent
terms of Apache-2.0 are a restriction that version 2 of the GNU licences does not know). Fine-tuning makes a new
model out of the old one with the project's code and ships both as one product, so copyleft and use restrictions of
either side have to be bearable for the other. Whoever asks is taken to be a company: non-commercial terms allow
neither.
"""

from dataclasses import dataclass

from metrics.licenses.terms import Family, Terms, terms_of

_GPL2_ONLY = frozenset({"GPL-2.0-only"})
_GPL3_LINE = frozenset({"GPL-3.0-only", "GPL-3.0-or-later", "AGPL-3.0-only", "AGPL-3.0-or-later"})
_NOT_WITH_GPL2 = frozenset({"Apache-2.0", "LGPL-3.0-only", "LGPL-3.0-or-later"})


@dataclass(frozen=True, slots=True)
class Compatibility:
    """The answer for each way of using the two together, with a reason for each and for each side's terms."""

    fine_tuning: bool
    inference: bool
    reasons: tuple[str, ...]

    @property
    def allowed(self) -> bool:
        """True when both fine-tuning and inference are allowed."""
        return self.fine_tuning and self.inference


def compatible(model_license: str | None, code_license: str | None) -> Compatibility:
    """Judge two SPDX expressions; None stands for no licence, which grants nothing."""
    model, code = terms_of(model_license), terms_of(code_license)
    about = (f"the model, {_called(model)}: {model.reason}", f"the code, {_called(code)}: {code.reason}")
    if barrier := _barrier("the model", model) or _barrier("the code", code):
        return Compatibility(fine_tuning=False, inference=False, reasons=(*about, barrier))
    inference = "inference: allowed, as the code only loads the model and each keeps its licence"
    conflict = _conflict(model, code)
    if conflict:
        return Compatibility(fine_tuning=False, inference=True, reasons=(*about, inference, f"fine-tuning: {conflict}"))
    return Compatibility(fine_tuning=True, inference=True, reasons=(*about, inference, _duties(model, code)))


def _called(terms: Terms) -> str:
    return terms.key or "without a licence"


def _barrier(side: str, terms: Terms) -> str:
    """Why neither use is allowed whatever the other side says; empty where nothing stands in the way."""
    match terms.family:
        case Family.NONE:
            return f"not allowed: {side} has no stated licence and so grants nothing"
        case Family.NON_COMMERCIAL:
            return f"not allowed: {side} may not be used commercially"
        case Family.CUSTOM:
            return f"not allowed until a person has read it: {side} has terms of its own ({terms.key})"
        case _:
            return ""


def _conflict(model: Terms, code: Terms) -> str:
    """Why a fine-tuned model may not be shipped with the code; empty where it may."""
    if model.family is Family.NO_DERIVATIVES:
        return f"not allowed, since {model.key} forbids sharing changed versions"
    if code.family is Family.NO_DERIVATIVES:
        return f"not allowed, since {code.key} forbids sharing changed versions of the code"
    families = {model.family, code.family}
    if families == {Family.USE_RESTRICTED, Family.STRONG_COPYLEFT}:
        return "not allowed, since strong copyleft lets nobody add the use restrictions of the other side"
    keys = {model.key, code.key}
    if keys & _GPL2_ONLY and keys & _GPL3_LINE:
        return "not allowed, since version 2 only and version 3 of the GNU GPL exclude each other"
    if model.key in _GPL2_ONLY and code.key in _NOT_WITH_GPL2:
        return f"not allowed, since {code.key} adds terms that GPL version 2 does not permit in the combined work"
    return ""


def _duties(model: Terms, code: Terms) -> str:
    if model.family is Family.PERMISSIVE:
        return f"fine-tuning: allowed, as a permissive model may be shipped beside code under {code.key}"
    if model.family is Family.USE_RESTRICTED:
        return "fine-tuning: allowed, if the use restrictions are passed on with the new model"
    if model.family is Family.STRONG_COPYLEFT:
        return f"fine-tuning: allowed, if what is shipped as a whole is under {model.key}"
    return f"fine-tuning: allowed, if the new model stays under {model.key}"
