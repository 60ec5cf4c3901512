"""Licences of models, data and code: their names as SPDX, what they allow, and which go together."""

from metrics.licenses.compatibility import Compatibility, compatible
from metrics.licenses.names import normalise, stated_license
from metrics.licenses.terms import Family, Terms, terms_of

__all__ = ["Compatibility", "Family", "Terms", "compatible", "normalise", "stated_license", "terms_of"]
