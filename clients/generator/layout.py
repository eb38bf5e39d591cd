"""acts.layout without its comments, held against the description: whatever kind of act and whatever member the gate
takes has a place in it."""


class Missing(Exception):
    """The layout lacks what the description has."""


def read(text, openapi):
    """The lines that say something, as the clients carry them."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    types = {line.split()[0]: line.split()[1:] for line in lines}
    _cover(types, openapi["components"]["schemas"])
    return "\n".join(lines) + "\n"


def _cover(types, schemas):
    for name in ("ActKind", "NewFactor", "Scope", "LiftTarget", "Keys", "Claim"):
        tag = types[name][1]
        for form in schemas[name]["oneOf"]:
            members = set(form["properties"]) - {tag}
            said = form["properties"][tag]
            for word in said.get("enum", [said.get("const")]):
                _cover_members(f"{name}/{word}", types, members)
    for name in ("Act", "Policy", "Limit", "Limits", "Import", "RateRules", "SignedQuote"):
        _cover_members(name, types, set(schemas[name]["properties"]))


def _cover_members(name, types, members):
    if name not in types:
        raise Missing(f"acts.layout has no line {name}, which docs/spec/openapi.json has")
    fields = {part.rstrip("?") for field in types[name] for part in field.split(":")[:2]}
    if not members <= fields:
        raise Missing(f"{name} in acts.layout lacks {', '.join(sorted(members - fields))}")
