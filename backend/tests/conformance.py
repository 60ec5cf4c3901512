"""What a service's OpenAPI document says otherwise than a contract, where the service may offer more but never less.

    for difference in differences(contract, service):
        print(difference)

What a client sends must be taken wherever the contract allows it, so there the service may only be wider. What a
client gets must be what the contract promises, so there the service may only be narrower.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

Node = Mapping[str, Any]

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
CEILINGS = ("maximum", "maxLength", "maxItems")
FLOORS = ("minimum", "minLength", "minItems")


class Direction(Enum):
    """Which way a value travels."""

    REQUEST = "request"
    RESPONSE = "response"


@dataclass(frozen=True)
class Difference:
    """One thing the service does otherwise: where, by which rule, and in words."""

    where: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message} [{self.rule}]"


def differences(contract: Node, service: Node) -> Iterator[Difference]:
    """Everything in which `service` falls short of `contract`, in the contract's order."""
    comparison = _Comparison(contract, service)
    for path, item in contract["paths"].items():
        offered = service["paths"].get(path)
        if offered is None:
            yield Difference(path, "path", "the service has no such path")
            continue
        for method in METHODS:
            if method in item:
                yield from comparison.operation(f"{method.upper()} {path}", item, offered, method)


class _Comparison:
    """Walks both documents side by side, each resolving its own references."""

    def __init__(self, contract: Node, service: Node) -> None:
        self._contract = contract
        self._service = service

    def operation(self, where: str, item: Node, offered: Node, method: str) -> Iterator[Difference]:
        if method not in offered:
            yield Difference(where, "method", "the service does not offer this method")
            return
        theirs, ours = item[method], offered[method]
        if theirs.get("operationId") not in {None, ours.get("operationId")}:
            message = f"operationId is {ours.get('operationId')!r}, not {theirs['operationId']!r}"
            yield Difference(where, "operation-id", message)
        yield from self._parameters(where, _parameters(item, theirs), _parameters(offered, ours))
        yield from self._body(f"{where} body", theirs.get("requestBody"), ours.get("requestBody"))
        yield from self._responses(where, theirs["responses"], ours["responses"])

    def _parameters(self, where: str, theirs: Mapping[Any, Node], ours: Mapping[Any, Node]) -> Iterator[Difference]:
        for (place, name), parameter in theirs.items():
            here = f"{where} {place} {name}"
            own = ours.get((place, name))
            if own is None:
                yield Difference(here, "parameter", "the service knows no such parameter")
                continue
            if bool(own.get("required")) != bool(parameter.get("required")):
                yield Difference(
                    here, "required", f"required is {own.get('required')}, not {parameter.get('required')}"
                )
            yield from self._schema(here, parameter["schema"], own["schema"], Direction.REQUEST)
        for place, name in ours.keys() - theirs.keys():
            if ours[place, name].get("required"):
                yield Difference(f"{where} {place} {name}", "required", "the contract has no such parameter to require")

    def _body(self, where: str, theirs: Node | None, ours: Node | None) -> Iterator[Difference]:
        if ours is not None and ours.get("required") and not (theirs or {}).get("required"):
            yield Difference(where, "required", "the service requires a body that the contract does not")
        for media_type, content in (theirs or {}).get("content", {}).items():
            own = (ours or {}).get("content", {}).get(media_type)
            if own is None:
                yield Difference(where, "media-type", f"the service does not take {media_type}")
            else:
                yield from self._schema(where, content["schema"], own["schema"], Direction.REQUEST)

    def _responses(self, where: str, theirs: Node, ours: Node) -> Iterator[Difference]:
        for status, response in theirs.items():
            here = f"{where} {status}"
            own = ours.get(status)
            if own is None:
                yield Difference(here, "status", "the service does not document this status")
                continue
            for name, header in response.get("headers", {}).items():
                if name not in own.get("headers", {}):
                    yield Difference(f"{here} header {name}", "header", "the service does not document this header")
                else:
                    schema = own["headers"][name]["schema"]
                    yield from self._schema(f"{here} header {name}", header["schema"], schema, Direction.RESPONSE)
            for media_type, content in response.get("content", {}).items():
                if media_type not in own.get("content", {}):
                    yield Difference(here, "media-type", f"the service does not answer with {media_type}")
                else:
                    schema = own["content"][media_type]["schema"]
                    yield from self._schema(here, content["schema"], schema, Direction.RESPONSE)

    def _schema(self, where: str, theirs: Node, ours: Node, way: Direction) -> Iterator[Difference]:
        theirs, ours = _resolve(self._contract, theirs), _resolve(self._service, ours)
        allowed, offered = _types(self._contract, theirs), _types(self._service, ours)
        narrower, wider = (allowed, offered) if way is Direction.REQUEST else (offered, allowed)
        if not _covers(wider, narrower):
            said = f"the service says {_spell(offered)}, the contract {_spell(allowed)}"
            yield Difference(where, "type", said)
        ours = _without_null(self._service, ours)
        yield from _values(where, theirs, ours, way)
        if "items" in theirs and "items" in ours:
            yield from self._schema(f"{where}[]", theirs["items"], ours["items"], way)
        if "properties" in theirs or "required" in theirs:
            yield from self._object(where, theirs, ours, way)
        extra, own_extra = theirs.get("additionalProperties"), ours.get("additionalProperties")
        if isinstance(extra, Mapping):
            if isinstance(own_extra, Mapping):
                yield from self._schema(f"{where}.*", extra, own_extra, way)
            else:
                yield Difference(where, "additional", "the service does not say what further properties are")

    def _object(self, where: str, theirs: Node, ours: Node, way: Direction) -> Iterator[Difference]:
        needed, given = set(theirs.get("required", ())), set(ours.get("required", ()))
        too_many = given - needed if way is Direction.REQUEST else needed - given
        for name in sorted(too_many):
            verb = "requires" if way is Direction.REQUEST else "does not promise"
            yield Difference(f"{where}.{name}", "required", f"the service {verb} this property")
        for name, schema in theirs.get("properties", {}).items():
            here = f"{where}.{name}"
            read_only = bool(_resolve(self._contract, schema).get("readOnly"))
            own = ours.get("properties", {}).get(name)
            if own is None:
                if way is Direction.RESPONSE:
                    yield Difference(here, "property", "the service does not have this property")
                elif ours.get("additionalProperties") is False and not read_only:
                    yield Difference(here, "property", "the service refuses this property")
                continue
            if read_only and not _resolve(self._service, own).get("readOnly"):
                yield Difference(here, "read-only", "the service does not say that this is read only")
            yield from self._schema(here, schema, own, way)


def _parameters(item: Node, operation: Node) -> dict[tuple[str, str], Node]:
    """A path's and an operation's parameters by place and name; the operation's own win."""
    every = [*item.get("parameters", []), *operation.get("parameters", [])]
    return {(each["in"], each["name"]): each for each in every}


def _resolve(document: Node, schema: Node) -> Node:
    """Follow references; what stands beside one is kept."""
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = {**found, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _choices(document: Node, schema: Node) -> list[Node]:
    alternatives = schema.get("anyOf") or schema.get("oneOf")
    return [_resolve(document, each) for each in alternatives] if alternatives else [schema]


def _types(document: Node, schema: Node) -> set[str] | None:
    """The JSON types a schema admits; None where it admits all."""
    found: set[str] = set()
    for choice in _choices(document, schema):
        stated = choice.get("type")
        if stated is None:
            return None
        found |= {stated} if isinstance(stated, str) else set(stated)
    return found


def _without_null(document: Node, schema: Node) -> Node:
    """A schema that is one thing or null as that one thing, with what is said of the whole."""
    real = [choice for choice in _choices(document, schema) if choice.get("type") != "null"]
    if len(real) != 1:
        return schema
    return {**real[0], **{key: value for key, value in schema.items() if key not in {"anyOf", "oneOf"}}}


def _covers(wider: set[str] | None, narrower: set[str] | None) -> bool:
    if wider is None:
        return True
    if narrower is None:
        return False
    also = {"integer"} if "number" in wider else set()
    return narrower <= wider | also


def _spell(types: set[str] | None) -> str:
    return "anything" if types is None else " or ".join(sorted(types))


def _values(where: str, theirs: Node, ours: Node, way: Direction) -> Iterator[Difference]:
    """Differences in which values of a type are meant: enums, formats, patterns, bounds and defaults."""
    yield from _enums(where, theirs, ours, way)
    for keyword in ("format", "default"):
        if keyword in theirs and ours.get(keyword) != theirs[keyword]:
            said = f"{keyword} is {ours.get(keyword)!r}, not {theirs[keyword]!r}"
            yield Difference(where, keyword, said)
    binding, bound = (ours, theirs) if way is Direction.REQUEST else (theirs, ours)
    if "pattern" in binding and binding["pattern"] != bound.get("pattern"):
        said = f"pattern is {ours.get('pattern')!r}, not {theirs.get('pattern')!r}"
        yield Difference(where, "pattern", said)
    for keyword in (*FLOORS, *CEILINGS):
        if keyword in binding and not _within(keyword, bound.get(keyword), binding[keyword]):
            said = f"{keyword} is {ours.get(keyword)!r}, not {theirs.get(keyword)!r}"
            yield Difference(where, "bounds", said)


def _within(keyword: str, inner: float | None, outer: float) -> bool:
    """Whether what stays inside `inner` stays inside `outer`; a floor of nothing always does."""
    if inner is None:
        return keyword in FLOORS and keyword != "minimum" and outer <= 0
    return inner >= outer if keyword in FLOORS else inner <= outer


def _enums(where: str, theirs: Node, ours: Node, way: Direction) -> Iterator[Difference]:
    allowed, offered = _enum(theirs), _enum(ours)
    inner, outer = (allowed, offered) if way is Direction.REQUEST else (offered, allowed)
    if outer is not None and (inner is None or not set(inner) <= set(outer)):
        yield Difference(where, "enum", f"the service says {offered}, the contract {allowed}")


def _enum(schema: Node) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    return list(schema["enum"]) if "enum" in schema else None
