"""What docs/spec/openapi.json describes, as few plain values that every emitter writes in its language.

Only as much of OpenAPI is understood as the gate's description uses; anything else ends the generator, so that nothing of
the description is left out in silence.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Text:
    """A string."""


@dataclass(frozen=True)
class Number:
    """A whole number below 2^53: times, spans, indices, counts. Amounts are strings."""


@dataclass(frozen=True)
class Flag:
    """True or false."""


@dataclass(frozen=True)
class Words:
    """One of these strings. A gate that is newer may know more of them."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class Listed:
    """A list."""

    of: object


@dataclass(frozen=True)
class Nullable:
    """Null, or this."""

    of: object


@dataclass(frozen=True)
class Named:
    """A type with a name of its own."""

    name: str


@dataclass
class Member:
    """One member of an object: its name in JSON, its type, and what it is."""

    name: str
    type: object
    required: bool
    about: str


@dataclass
class Alias:
    """A name for a type that is no object."""

    name: str
    type: object
    about: str


@dataclass
class Record:
    """An object."""

    name: str
    members: list[Member]
    about: str


@dataclass
class Variant:
    """One form of a choice: what its tag says, and the members beside the tag."""

    word: str
    record: Record


@dataclass
class Choice:
    """An object whose member `tag` says which form it has."""

    name: str
    tag: str
    variants: list[Variant]
    about: str


@dataclass
class Parameter:
    """What a call is given beside its body."""

    name: str
    json_name: str
    place: str
    type: object
    required: bool
    about: str


@dataclass
class Operation:
    """One call of the gate."""

    name: str
    method: str
    path: str
    parameters: list[Parameter]
    body: object
    answer: object
    signed: bool
    summary: str
    about: str


@dataclass
class Description:
    """All of it, in the order of the description."""

    types: list = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)


class Unknown(Exception):
    """The description says something that the generator does not understand."""


# What signing adds to a request by itself.
SIGNED_HEADERS = {"Signature-Input", "Content-Digest"}
# What a header's value is called where a call takes it.
HEADERS = {"Portcullis-Act": "act", "Idempotency-Key": "idempotency_key"}


def read(openapi):
    """The description as the emitters want it."""
    reader = _Reader(openapi)
    for name, schema in openapi["components"]["schemas"].items():
        reader.top(name, schema)
    for path, item in openapi["paths"].items():
        for method, operation in item.items():
            reader.operation(path, method, operation)
    return reader.description


class _Reader:
    def __init__(self, openapi):
        self.openapi = openapi
        self.description = Description()

    def top(self, name, schema):
        about = schema.get("description", "")
        if "oneOf" in schema:
            self.choice(name, schema)
        elif schema.get("type") == "object":
            self.record(name, schema)
        else:
            self.description.types.append(Alias(name, self.type(name, schema), about))

    def record(self, name, schema):
        """Notes the record, behind the records that stand inside it."""
        record = Record(name, self.members(name, schema), schema.get("description", ""))
        self.description.types.append(record)
        return Named(name)

    def members(self, name, schema):
        required = schema.get("required", [])
        members = []
        for member, inner in schema.get("properties", {}).items():
            type_ = self.type(name + pascal(singular(member)), inner)
            about = inner.get("description", "")
            members.append(Member(member, type_, member in required, about))
        return members

    def choice(self, name, schema):
        forms = schema["oneOf"]
        tag = self.tag(name, forms)
        variants = []
        for form in forms:
            said = form["properties"][tag]
            rest = dict(form, properties={k: v for k, v in form["properties"].items() if k != tag})
            for word in said.get("enum", [said.get("const")]):
                inner = name + pascal(word)
                record = Record(inner, self.members(inner, rest), form.get("description", ""))
                variants.append(Variant(word, record))
        self.description.types.append(Choice(name, tag, variants, schema.get("description", "")))

    @staticmethod
    def tag(name, forms):
        """The member that says which form it is: the one that in every form has fixed words."""
        fixed = lambda it: "const" in it or "enum" in it
        tags = [member for member in forms[0]["properties"]
                if all(fixed(form["properties"].get(member, {})) for form in forms)]
        if len(tags) != 1:
            raise Unknown(f"{name}: no member says which form of the choice it is")
        return tags[0]

    def type(self, name, schema):
        if "$ref" in schema:
            return Named(schema["$ref"].rsplit("/", 1)[-1])
        forms = schema.get("anyOf", schema.get("oneOf"))
        if forms:
            there = [form for form in forms if form != {"type": "null"}]
            if len(there) != 1 or len(forms) != 2:
                raise Unknown(f"{name}: a choice between anything but one type and null")
            return Nullable(self.type(name, there[0]))
        if "enum" in schema or "const" in schema:
            return Words(tuple(schema.get("enum", [schema.get("const")])))
        match schema.get("type"):
            case "string":
                return Text()
            case "integer":
                return Number()
            case "boolean":
                return Flag()
            case "array":
                return Listed(self.type(name, schema["items"]))
            case "object":
                return self.record(name, schema)
        raise Unknown(f"{name}: {schema}")

    def operation(self, path, method, operation):
        """Notes the call if it speaks JSON: followers, keepers and browsers' streams have protocols of their own."""
        body = self.content(operation.get("requestBody", {}))
        answers = [self.content(answer) for status, answer in operation["responses"].items() if status < "300"]
        if "other" in (body, *answers):
            return
        self.description.operations.append(Operation(
            name=operation["operationId"],
            method=method.upper(),
            path=path,
            parameters=[it for it in map(self.parameter, operation.get("parameters", [])) if it],
            body=body,
            answer=answers[0],
            signed=bool(operation.get("security")),
            summary=operation["summary"],
            about=operation.get("description", "")))

    @staticmethod
    def content(holder):
        """The named type of a body in JSON; nothing where there is no body; "other" for what is not ours to write."""
        content = holder.get("content")
        if content is None:
            return None
        schema = content.get("application/json", {}).get("schema", {})
        return Named(schema["$ref"].rsplit("/", 1)[-1]) if "$ref" in schema else "other"

    def parameter(self, parameter):
        if "$ref" in parameter:
            parameter = self.openapi["components"]["parameters"][parameter["$ref"].rsplit("/", 1)[-1]]
        name = parameter["name"]
        if name in SIGNED_HEADERS:
            return None
        return Parameter(
            name=HEADERS.get(name, name),
            json_name=name,
            place=parameter["in"],
            type=self.type(name, parameter["schema"]),
            required=parameter.get("required", False),
            about=parameter.get("description", ""))


def words(name):
    """A name's parts: `open-account`, `openAccount` and `open_account` have the same two."""
    spaced = "".join(f" {c.lower()}" if c.isupper() else c for c in name)
    return spaced.replace("-", " ").replace("_", " ").split()


def pascal(name):
    """OpenAccount"""
    return "".join(word[:1].upper() + word[1:] for word in words(name))


def camel(name):
    """openAccount"""
    text = pascal(name)
    return text[:1].lower() + text[1:]


def snake(name):
    """open_account"""
    return "_".join(words(name))


def singular(name):
    """What one of a list is called: holders, addresses, entries."""
    for ending, one in (("ies", "y"), ("sses", "ss"), ("ss", "ss"), ("s", "")):
        if name.endswith(ending):
            return name[: -len(ending)] + one
    return name
