"""The management API's description: OpenAPI made from the views, and pages drawn from it on the server."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer

from identity.console.guard import render

JSON, YAML = "application/vnd.oai.openapi+json", "application/vnd.oai.openapi"
NOT_SHOWN = {"Problem"}


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """Return the OpenAPI document. The views do not change while a process lives."""
    with translation.override(settings.LANGUAGE_CODE):  # as a reference it is in one language, that of its source
        made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return {**made, "servers": [{"url": settings.CONSOLE_URL}]}


@lru_cache(maxsize=2)
def written(media: str) -> bytes:
    """Return the document in one of its two forms."""
    renderer = OpenApiJsonRenderer if media == JSON else OpenApiYamlRenderer
    return bytes(renderer().render(document(), renderer_context={}))


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """Serve the OpenAPI document: JSON, or YAML where that is asked for."""
    media = YAML if request.GET.get("format") == "yaml" else JSON
    return HttpResponse(written(media), content_type=media)


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show the API to people."""
    context = {
        "section": "api",
        "title": gettext("Management API"),
        "server": settings.CONSOLE_URL,
        "groups": groups(),
        "objects": objects(),
        "problem": json.dumps(example("Problem"), indent=2),
    }
    return render(request, "api_docs.html", context)


@lru_cache(maxsize=1)
def groups() -> list[tuple[str, list[dict[str, Any]]]]:
    """Return operations by tag, in the order of the document."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            found.setdefault(operation["tags"][0], []).append(operation_facts(path, method, operation))
    return list(found.items())


def operation_facts(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    """Return what a page says of one operation."""
    sent = component(operation.get("requestBody", {}).get("content", {}).get("application/json"))
    status, answer = next((code, answer) for code, answer in operation["responses"].items() if code != "default")
    got = component(answer.get("content", {}).get("application/json"))
    command = f"curl -H 'Authorization: Bearer ID.SECRET' \\\n  '{settings.CONSOLE_URL}{path}'"
    if method != "get":
        command = command.replace("curl ", f"curl -X {method.upper()} ", 1)
    if sent:
        command += " \\\n  -H 'Content-Type: application/json' \\\n  -d '" + json.dumps(example(sent)) + "'"
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "description": operation["description"],
        "parameters": [
            {**parameter, "type": kind(parameter["schema"])} for parameter in operation.get("parameters", [])
        ],
        "sent": sent,
        "members": members(sent) if sent else [],
        "status": status,
        "got": got,
        "command": command,
        "answer": json.dumps(example(got), indent=2) if got else "",
    }


def component(content: dict[str, Any] | None) -> str:
    """Return the name of the object that a body holds."""
    return str(content["schema"]["$ref"].rsplit("/", 1)[-1]) if content else ""


def shape(name: str) -> dict[str, Any]:
    """Return an object's schema."""
    return dict(document()["components"]["schemas"][name])


def objects() -> list[tuple[str, str, list[dict[str, Any]]]]:
    """Return every object with its members."""
    return [
        (name, found.get("description", ""), members(name))
        for name, found in document()["components"]["schemas"].items()
        if name not in NOT_SHOWN and found.get("type") == "object"
    ]


def members(name: str) -> list[dict[str, Any]]:
    """Return an object's members: name, type, whether it must be there, what it means."""
    found = shape(name)
    return [
        {
            "name": member,
            "type": kind(schema),
            "required": member in found.get("required", []),
            "description": schema.get("description", ""),
        }
        for member, schema in found["properties"].items()
    ]


def resolve(schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference."""
    for part in (schema, *schema.get("allOf", ()), *schema.get("oneOf", ())):
        if "$ref" in part:
            return shape(part["$ref"].rsplit("/", 1)[-1])
    return schema


def kind(schema: dict[str, Any]) -> str:
    """Return a schema's type in a word or two."""
    followed = resolve(schema)
    if "enum" in followed:
        return " | ".join(str(value) for value in followed["enum"])
    if followed.get("type") == "array":
        inner = followed["items"]
        is_object = resolve(inner).get("type") == "object" and "$ref" in inner
        return f"list of {inner['$ref'].rsplit('/', 1)[-1] if is_object else kind(inner)}"
    word = str(followed.get("format") or followed.get("type", "value"))
    return word + (" or null" if schema.get("nullable") else "")


def example(name: str) -> Any:  # noqa: ANN401 - JSON
    """Return an example of an object."""
    return sample(shape(name), name)


SAMPLES: dict[str, Any] = {
    "id": "us-east-1_a1B2c3D4e",
    "name": "Photos",
    "arn": "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_a1B2c3D4e",
    "issuer": "https://id.example.com/us-east-1_a1B2c3D4e",
    "client_id": "1example23456789abcdefghij",
    "secret": None,
    "username": "jo",
    "attributes": {"sub": "8f14e45f-ceea-467f-9575-1c1f2b1e0a3d", "email": "jo@example.com"},
    "username_attributes": ["email"],
    "alias_attributes": [],
    "oauth_flows": ["code"],
    "auth_flows": ["ALLOW_REFRESH_TOKEN_AUTH"],
    "scopes": ["openid", "email"],
    "callback_urls": ["https://photos.example.com/callback"],
    "logout_urls": ["https://photos.example.com/"],
    "next": None,
    "type": "about:blank",
    "title": "Bad Request",
    "status": 400,
    "code": "invalid",
    "detail": "The request is not valid.",
    "field": "callback_urls",
    "message": "Enter an absolute URL.",
}
BY_FORMAT: dict[str, Any] = {
    "uuid": "8f14e45f-ceea-467f-9575-1c1f2b1e0a3d",
    "date-time": "2026-11-21T08:00:00Z",
    "integer": 3600,
    "boolean": False,
    "string": "text",
}


def sample(schema: dict[str, Any], name: str) -> Any:  # noqa: ANN401 - JSON
    """Return an example of a value, by its name where that says more than its type."""
    followed = resolve(schema)
    if "enum" in followed:
        return followed["enum"][0]
    if name in SAMPLES:
        return SAMPLES[name]
    if followed.get("type") == "object" and "properties" in followed:
        return {member: sample(inner, member) for member, inner in followed["properties"].items()}
    if followed.get("type") == "array":
        return [sample(followed["items"], "")]
    return followed.get("default", BY_FORMAT.get(followed.get("format") or followed.get("type", ""), "text"))
