"""Write the generated part of the client anew from the OpenAPI document: ``make openapi``.

Models are pydantic classes of the schemas that version 1 uses; every route becomes a method of the
name of its operation, and every list also an iterator.
"""

from __future__ import annotations

import json
import keyword
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "src" / "video_detective" / "client"
NOTE = "Written by ``make openapi`` from the OpenAPI document: do not edit."
PAGED = {"page", "limit", "cursor"}
ENDLESS = {"/api/v1/live"}
"""Answers without end: no method gives them."""
SIMPLE = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def snake(name: str) -> str:
    """``deviceId`` as ``device_id``; a word of the language gets an underscore."""
    made = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).replace("-", "_").lower()
    return f"{made}_" if keyword.iskeyword(made) else made


class Writer:
    """Writes both modules from a document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.paths = {
            path: item
            for path, item in document["paths"].items()
            if path.startswith("/api/v1/") and path not in ENDLESS
        }
        self.schemas = document["components"]["schemas"]
        self.used: dict[str, str] = {}

    def class_of(self, reference: str) -> str:
        """The class of a schema; what it refers to is written too."""
        key = reference.rpartition("/")[2]
        if key not in self.used:
            name = re.sub(r"\W", "", key.rpartition("__")[2])
            while name in self.used.values():
                name += "2"
            self.used[key] = name
            for part in self.schemas[key].get("properties", {}).values():
                self.type_of(part)
        return self.used[key]

    def type_of(self, schema: dict[str, Any]) -> str:
        """The Python type of a schema."""
        if "$ref" in schema:
            target = self.schemas[schema["$ref"].rpartition("/")[2]]
            if "properties" in target:
                return self.class_of(schema["$ref"])
            return self.type_of(target)
        if "const" in schema:
            return f"Literal[{schema['const']!r}]"
        if "enum" in schema:
            return f"Literal[{', '.join(map(repr, schema['enum']))}]"
        for several in ("anyOf", "oneOf"):
            if several in schema:
                return " | ".join(dict.fromkeys(self.type_of(part) for part in schema[several]))
        kind = schema.get("type")
        if isinstance(kind, list):
            return " | ".join(SIMPLE[one] for one in kind)
        if kind == "array":
            if "prefixItems" in schema:
                return f"tuple[{', '.join(self.type_of(part) for part in schema['prefixItems'])}]"
            return f"list[{self.type_of(schema.get('items', {}))}]"
        if kind == "object":
            values = schema.get("additionalProperties", {})
            return f"dict[str, {self.type_of(values) if isinstance(values, dict) else 'Any'}]"
        return SIMPLE.get(kind or "", "Any")

    def operations(self) -> str:
        """The text of ``operations.py``."""
        methods = []
        for path, item in self.paths.items():
            for method, operation in item.items():
                methods.append(self.method(path, method.upper(), operation))
        imports = ", ".join(sorted(set(self.used.values())))
        literal = ", Literal" if any("Literal[" in text for text in methods) else ""
        return (
            f'"""One method for each route of version 1.\n\n{NOTE}\n"""\n\n'
            "from __future__ import annotations\n\n"
            f"from collections.abc import Iterator\nfrom typing import Any{literal}\n\n"
            "from pydantic import TypeAdapter\n\n"
            "from video_detective.client.base import UNSET, Connection, Page, Unset, each\n"
            f"from video_detective.client.models import ({imports})\n\n\n"
            "class Operations(Connection):\n"
            '    """Every route as a method; see ``docs/api.md`` for what each means."""\n\n'
            + "\n\n".join(methods)
            + "\n"
        )

    def method(self, path: str, method: str, operation: dict[str, Any]) -> str:
        """The text of one method, and of its iterator where it is a list of pages."""
        name = snake(operation["operationId"])
        success = next(r for s, r in operation["responses"].items() if s.startswith("2"))
        content = success.get("content", {})
        parameters = operation.get("parameters", [])
        given = [p for p in parameters if p["in"] == "path"]
        query = [p for p in parameters if p["in"] == "query"]
        headers = [p for p in parameters if p["in"] == "header"]
        body = operation.get("requestBody", {}).get("content", {})
        first = [f"{self.argument(p['name'])}: {self.type_of(p['schema'])}" for p in given]
        later = [self.optional(p["name"], p["schema"], p.get("required", False)) for p in query]
        later += [self.optional(p["name"], p["schema"], True) for p in headers]
        passed = []
        if query:
            pairs = ", ".join(f'"{p["name"]}": {snake(p["name"])}' for p in query)
            passed.append(f"query={{{pairs}}}")
        if "application/json" in body:
            fields = self.resolved(body["application/json"]["schema"])
            required = fields.get("required", ())
            properties = fields["properties"].items()
            later += [self.optional(key, part, key in required) for key, part in properties]
            pairs = ", ".join(f'"{key}": {snake(key)}' for key, _ in properties)
            passed.append(f"body={{{pairs}}}")
        elif body:
            first.append("content: bytes")
            passed.append("content=content")
            sent = {"Content-Type": repr(next(iter(body)))}
            sent |= {p["name"]: f"str({snake(p['name'])})" for p in headers}
            passed.append("headers={" + ", ".join(f'"{k}": {v}' for k, v in sent.items()) + "}")
        later.sort(key=lambda text: "=" in text)
        address = re.sub(r"{(\w+)(:path)?}", lambda m: f"{{{self.argument(m[1])}}}", path)
        where = f'f"{address}"' if given else f'"{address}"'
        star = ["*", *later] if later else []
        about = operation["description"].partition("\n\n")[0].replace("\n", " ")
        told = textwrap.fill(about, 85, subsequent_indent="        ")
        head = f"    def {name}(self, {', '.join([*first, *star])})"
        if "application/json" not in content:
            extra = f", {', '.join(passed)}" if passed else ""
            return (
                f'{head} -> bytes:\n        """{told}"""\n'
                f'        return self.send("{method}", {where}{extra}).content'
            )
        data = self.resolved(content["application/json"]["schema"])["properties"]["data"]
        kind = self.type_of(data)
        if {p["name"] for p in query} >= PAGED and kind.startswith("list["):
            return self.listing(name, head, told, where, kind, passed, given, query)
        extra = f", {', '.join(passed)}" if passed else ""
        return (
            f'{head} -> {kind}:\n        """{told}"""\n'
            f'        return self.call("{method}", {where}, TypeAdapter({kind}){extra})'
        )

    def listing(
        self,
        name: str,
        head: str,
        told: str,
        where: str,
        kind: str,
        passed: list[str],
        given: list[dict[str, Any]],
        query: list[dict[str, Any]],
    ) -> str:
        """The text of a list's two methods."""
        item = kind.removeprefix("list[").removesuffix("]")
        page = (
            f'{head} -> Page[{item}]:\n        """{told}"""\n'
            f"        return self.page({where}, TypeAdapter({kind}), "
            f"{passed[0].removeprefix('query=')})"
        )
        others = [p for p in query if p["name"] not in {"page", "cursor"}]
        arguments = [f"{self.argument(p['name'])}: {self.type_of(p['schema'])}" for p in given]
        options = [self.optional(p["name"], p["schema"], p.get("required", False)) for p in others]
        options.sort(key=lambda text: "=" in text)
        handed = [self.argument(p["name"]) for p in given]
        handed += [f"{snake(p['name'])}={snake(p['name'])}" for p in others]
        handed.append("cursor=cursor")
        every = "each_" + name.removeprefix("list_")
        taken = ", ".join([*arguments, "*", *options])
        return (
            f"{page}\n\n"
            f"    def {every}(self, {taken}) -> Iterator[{item}]:\n"
            f'        """As ``{name}``: every item, page after page."""\n'
            f"        return each(lambda cursor: self.{name}({', '.join(handed)}))"
        )

    def argument(self, name: str) -> str:
        """What a path parameter is called."""
        return {"id": "id_", "n": "number"}.get(name, snake(name))

    def optional(self, name: str, schema: dict[str, Any], required: bool) -> str:
        """A keyword parameter."""
        kind = self.type_of(schema)
        return f"{snake(name)}: {kind}" if required else f"{snake(name)}: {kind} | Unset = UNSET"

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The schema that a reference means."""
        found: dict[str, Any] = schema
        while "$ref" in found:
            found = self.schemas[found["$ref"].rpartition("/")[2]]
        return found

    def models(self) -> str:
        """The text of ``models.py``, of what the methods use."""
        classes = []
        for key, name in self.used.items():
            schema = self.schemas[key]
            about = " ".join(schema.get("description", "").split()) or "A body of the interface."
            told = textwrap.fill(about, 90, subsequent_indent="    ")
            lines = [f"class {name}(Model):", f'    """{told}"""', ""]
            required = schema.get("required", ())
            for field, part in schema.get("properties", {}).items():
                kind = self.type_of(part)
                if field not in required and "None" not in kind.split(" | "):
                    kind += " | None"
                plain = snake(field)
                alias = "" if camel(plain) == field else f'Field(alias="{field}")'
                if field not in required:
                    alias = f'Field(default=None, alias="{field}")' if alias else "None"
                lines.append(f"    {plain}: {kind}" + (f" = {alias}" if alias else ""))
            classes.append("\n".join(lines))
        text = "\n\n\n".join(classes)
        used = [name for name in ("Any", "Literal") if re.search(rf"\b{name}\b", text)]
        typing = f"from typing import {', '.join(used)}\n\n" if used else ""
        field = "from pydantic import Field\n\n" if "Field(" in text else ""
        return (
            f'"""What the interface answers.\n\n{NOTE}\n"""\n\n'
            "from __future__ import annotations\n\n"
            f"{typing}{field}from video_detective.client.base import Model\n\n\n{text}\n"
        )


def camel(name: str) -> str:
    """As pydantic does it."""
    first, *others = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in others)


def written(document: dict[str, Any]) -> dict[str, str]:
    """Text of each generated module, formatted."""
    writer = Writer(document)
    operations = writer.operations()
    texts = {"operations.py": operations, "models.py": writer.models()}
    return {name: formatted(text) for name, text in texts.items()}


def formatted(text: str) -> str:
    """As ``ruff`` has it."""
    ruff = Path(sys.executable).parent / "ruff"
    named = ["--quiet", "--stdin-filename", "src/video_detective/client/x.py", "-"]
    for arguments in (["check", "--fix-only", "--select", "F401,I,RUF036,D209"], ["format"]):
        done = subprocess.run(
            [ruff, *arguments, *named],
            input=text,
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        text = done.stdout
    return text


if __name__ == "__main__":
    for name, text in written(json.loads((ROOT / "docs" / "openapi.json").read_text())).items():
        (FOLDER / name).write_text(text, "utf-8")
        print(f"wrote {(FOLDER / name).relative_to(ROOT)}")
