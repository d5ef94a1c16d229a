"""The interface's own description, made of the models that check it (OpenAPI 3.1)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from console.api.problems import MEDIA_TYPE
from console.api.request_parsing import Handler
from console.api.schemas import NewMailing, ProblemTold, Schema
from console.api.tokens import Scope
from intake.events.cloudevents import BATCH, MOST_IN_BATCH, STRUCTURED

_REFERENCE: Final = "#/components/schemas/{model}"
_NUMBER: Final = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One thing that can be asked for: where, how, with which scope, and every answer there is."""

    method: str
    path: str
    summary: str
    handler: Handler
    answers: dict[int, type[Schema] | tuple[type[Schema], ...]]
    problems: tuple[int, ...] = ()
    scope: Scope | None = None
    query: type[Schema] | None = None
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    signed: bool = False


def json_body(model: type[Schema]) -> dict[str, Any]:
    """Return a request body of one model."""
    return {"application/json": {"schema": {"$ref": _REFERENCE.format(model=model.__name__)}}}


def list_body(types: Sequence[str]) -> dict[str, Any]:
    """Return a request body that is a list of people, in one of these content types."""
    texts = {"text/csv", "application/csv"}
    return {one: {"schema": {"type": "string"} if one in texts else {}} for one in types}


def event_body() -> dict[str, Any]:
    """Return a request body that is an event, or several."""
    text = {"type": "string", "minLength": 1}
    event = {
        "type": "object",
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": text | {"maxLength": 200, "pattern": "^[!-~]+$"},
            "source": text | {"maxLength": 400, "pattern": "^[!-~]+$"},
            "type": text | {"maxLength": 200, "pattern": "^[!-~]+$"},
            "time": {"type": "string", "format": "date-time"},
            "subject": {"type": "string", "maxLength": 2000},
            "datacontenttype": {"const": "application/json"},
            "data": {"type": "object"},
        },
        "additionalProperties": False,
        "description": "CloudEvents 1.0; extension attributes are taken too. The data says who is mailed.",
    }
    several = {"type": "array", "items": event, "minItems": 1, "maxItems": MOST_IN_BATCH}
    return {STRUCTURED: {"schema": event}, BATCH: {"schema": several}}


def document(operations: tuple[Operation, ...], version: str) -> dict[str, Any]:
    """Return the OpenAPI document."""
    models = _models(operations)
    _, definitions = models_json_schema(models, ref_template=_REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _described(one, definitions["$defs"])
    queries = {one.query.__name__ for one in operations if one.query}
    schemas = {name: schema for name, schema in definitions["$defs"].items() if name not in queries}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Mailrun",
            "version": version,
            "description": "Direct mail through LettrLabs: each person one piece, each order paid once.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "signature": {"type": "apiKey", "in": "header", "name": "webhook-signature"},
            },
        },
    }


def _models(operations: tuple[Operation, ...]) -> list[tuple[type[BaseModel], Any]]:
    told: set[type[BaseModel]] = {
        model for one in operations for answer in one.answers.values() for model in _each(answer)
    }
    asked = {one.query for one in operations if one.query is not None} | {NewMailing}
    return [
        *(
            (model, "serialization")
            for model in sorted(told | {ProblemTold}, key=lambda model: model.__name__)
        ),
        *((model, "validation") for model in sorted(asked, key=lambda model: model.__name__)),
    ]


def _described(one: Operation, definitions: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": f"{one.handler.__module__.rpartition('.')[2]}_{one.handler.__name__}",
        "summary": one.summary,
        "parameters": [*_path(one), *_headers(one), *_query(one, definitions)],
        "responses": {str(status): _answer(status, model) for status, model in one.answers.items()},
    }
    described["responses"] |= {str(status): _problem(status) for status in one.problems}
    if one.body is not None:
        described["requestBody"] = {"required": True, "content": one.body}
    if one.scope is not None:
        described["security"] = [{"token": []}]
        described["description"] = f"Needs a token with the scope `{one.scope}`."
    if one.signed:
        described["security"] = [{"signature": []}]
    return described


def _path(one: Operation) -> list[dict[str, Any]]:
    if "{number}" not in one.path:
        return []
    return [{"name": "number", "in": "path", "required": True, "schema": _NUMBER}]


def _headers(one: Operation) -> list[dict[str, Any]]:
    text = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[A-Za-z0-9_-]+$"}
    return [
        {"name": name, "in": "header", "required": need == "required", "schema": text}
        for name, need in one.headers.items()
    ]


def _query(one: Operation, definitions: dict[str, Any]) -> list[dict[str, Any]]:
    if one.query is None:
        return []
    schema = definitions[one.query.__name__]
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _without_null(part)}
        for name, part in schema["properties"].items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter's schema without the null that stands for its absence."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    bare = kinds[0] if len(kinds) == 1 else schema
    return {
        name: value for name, value in bare.items() if name not in {"default", "title"} or value is not None
    }


def _each(answer: type[Schema] | tuple[type[Schema], ...]) -> tuple[type[Schema], ...]:
    return answer if isinstance(answer, tuple) else (answer,)


def _answer(status: int, answer: type[Schema] | tuple[type[Schema], ...]) -> dict[str, Any]:
    references = [{"$ref": _REFERENCE.format(model=model.__name__)} for model in _each(answer)]
    schema = references[0] if len(references) == 1 else {"oneOf": references}
    return {"description": HTTPStatus(status).phrase, "content": {"application/json": {"schema": schema}}}


def _problem(status: int) -> dict[str, Any]:
    return {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(model="ProblemTold")}}},
    }
