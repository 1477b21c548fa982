"""docs/schema/fleet.schema.json says what the program says: its fields, types,
words, limits, kinds and help are the table's and the readers' own; it refuses the
malformed fleets that a schema can see, and takes every example of the docs."""

import json
import re
import sys

from tap import Tap, files, read

SCHEMA = "docs/schema/fleet.schema.json"
TABLE = "src/fleet/spec-fields.c"
MALFORMED = "tests/unit/malformed-fleets.json"
# Files with fleets that are good.
DOCUMENTS = ["README.md", *files("docs", ends=(".scd", ".md"))]

# And the older table, in C; what of it only meaning can see, by its messages.
TABLE_IN_C = "tests/unit/test_fleet.c"
MEANING = re.compile("|".join([
    "two guests have this name", "this is said twice", "case only",
    "too much for", "too little for a log", "\"cols\" is missing",
    "QEMU's machine for", "smaller numbers beside it", "goes only with",
    "does not go with the type", "is not an IPv4 address", "forwarded twice",
    "on a \"network\" of the fleet's, not both", "there is no network",
    "are more than \"maxcpus\"", "cores and threads make",
    "needs a shell", "has no closing", "bytes long, a socket's", "said twice",
]))

KINDS = ["command", "exec", "device", "socket"]

# What a type of the table is in the schema: a definition or a JSON type that
# must be among what the field may be.
TYPES = {
    "text": "string", "integer": "integer", "array": "array",
    "object": "object", "boolean": "boolean", "path": "#/$defs/path",
    "size": "#/$defs/size", "program": "#/$defs/program",
    "architecture": "#/$defs/architecture", "command": "#/$defs/command",
    "accelerator": "#/$defs/accelerator", "firmware": "#/$defs/firmware",
    "display": "#/$defs/display", "stage": "#/$defs/until",
    "policy": "#/$defs/restart", "cpus": "#/$defs/cpus",
}

# Arrays of words in the source, and where the schema has them.
WORDS = [
    ("src/fleet/spec-read.c", "archs", "$defs/architecture"),
    ("src/fleet/spec-read.c", "accels", "$defs/accelerator"),
    ("src/fleet/spec-hardware.c", "uefi_names", "$defs/firmware"),
    ("src/fleet/spec-hardware.c", "vga_names",
     "$defs/fields/properties/vga"),
    ("src/fleet/spec-disks.c", "disk_formats",
     "$defs/disk/anyOf/1/properties/format"),
    ("src/fleet/spec-disks.c", "disk_interfaces",
     "$defs/disk/anyOf/1/properties/interface"),
    ("src/fleet/spec-disks.c", "disk_caches",
     "$defs/disk/anyOf/1/properties/cache"),
]

# Arrays of members in the source, and the objects of the schema that have them.
MEMBERS = [
    ("src/fleet/fleet.c", "file_fields", ""),
    ("src/fleet/spec-disks.c", "disk_fields", "$defs/disk/anyOf/1"),
    ("src/fleet/spec-cloud-init.c", "cloud_fields",
     "$defs/fields/properties/cloud-init/anyOf/0"),
    ("src/fleet/spec-hardware.c", "flash_fields", "$defs/firmware/anyOf/2"),
    ("src/fleet/spec-nics.c", "all_members", "$defs/nic/anyOf/1"),
    ("src/fleet/spec-nics.c", "forward_members", "$defs/forward/anyOf/1"),
    ("src/fleet/spec-ssh.c", "ssh_members",
     "$defs/fields/properties/ssh/anyOf/0"),
    ("src/fleet/spec-smp.c", "smp_members",
     "$defs/fields/properties/smp/anyOf/1"),
    ("src/fleet/spec-log.c", "log_fields",
     "$defs/fields/properties/log/anyOf/0"),
    ("src/fleet/spec-paste.c", "paste_members",
     "$defs/fields/properties/paste/anyOf/0"),
]

# Limits in the source, and where the schema has them.
LIMITS = [
    ("src/fleet/spec-smp.c", "MAX_SMP", "cpus", "maximum"),
    ("src/fleet/spec-read.c", "MAX_HISTORY", "fields/properties/history",
     "maximum"),
    ("src/fleet/spec.h", "SPEC_MAX_SILENCE_S", "fields/properties/silence",
     "maximum"),
    ("src/fleet/fleet.h", "FLEET_MAX_GUESTS", "guest/properties/count",
     "maximum"),
    ("src/fleet/spec-disks.c", "MAX_DISKS", "fields/properties/disks",
     "maxItems"),
    ("src/fleet/spec-nics.c", "MAX_NICS", "fields/properties/nics",
     "maxItems"),
    ("src/fleet/spec-console.c", "MAX_CONSOLES",
     "fields/properties/consoles", "maxItems"),
    ("src/fleet/spec-maps.c", "MAX_LABELS", "fields/properties/labels",
     "maxProperties"),
    ("src/fleet/spec-maps.c", "MAX_VARIABLES", "fields/properties/env",
     "maxProperties"),
]

ROW = re.compile(
    r'\.name = "([^"]+)",\s*\.type = "([^"]+)",\s*'
    r'\.summary =\s*((?:"(?:[^"\\]|\\.)*"\s*)+),\s*'
    r'\.kinds =\s*(.*?),\s*\.offset', re.S)


def c_text(literals):
    """Adjacent string literals as the text they are."""
    parts = re.findall(r'"((?:[^"\\]|\\.)*)"', literals)
    return "".join(parts).replace('\\"', '"')


def kinds_of(expression):
    """The kinds of a row, in lower case."""
    kinds = {name.lower() for name in
             re.findall(r"SPEC_KIND_([A-Z]+)", expression)}
    if re.search(r"\bQ\b", expression):
        kinds.add("qemu")
    return {"qemu", *KINDS} if "SPEC_KINDS_ALL" in expression else kinds


def table_rows():
    return {name: (kind, c_text(summary), kinds_of(expression))
            for name, kind, summary, expression in ROW.findall(read(TABLE))}


def at(schema, path):
    """The schema's part at a path of keys and numbers."""
    for step in path.split("/") if path else []:
        schema = schema[int(step) if isinstance(schema, list) else step]
    return schema


def parts_of(value):
    """A schema, and what it is any of."""
    yield value
    for part in value.get("anyOf", []):
        yield from parts_of(part)


def words_of(value):
    return {word for part in parts_of(value) for word in part.get("enum", [])}


def types_of(schema, value):
    """JSON types and definitions that a value may be, one step deep."""
    found = set()
    for part in parts_of(value):
        kind = part.get("type", [])
        found.update([kind] if isinstance(kind, str) else kind)
        if "enum" in part:
            found.add("string" if isinstance(part["enum"][0], str)
                      else "integer")
        if "$ref" in part:
            found.add(part["$ref"])
            found |= types_of(schema, at(schema, part["$ref"][2:]))
    return found


def source_array(path, name):
    found = re.search(rf"\b{name}\[\] = \{{(.*?)\}};", read(path), re.S)
    return re.findall(r'"([^"]*)"', found.group(1)) if found else None


def source_number(path, name):
    found = re.search(rf"#define {name} (\d+)", read(path))
    return int(found.group(1)) if found else None


def field_faults(schema, rows):
    fields = schema["$defs"]["fields"]["properties"]
    faults = [f"{name} is not in the schema" for name in rows
              if name not in fields]
    faults += [f"{name} is not in the table" for name in fields
               if name not in rows]
    for name, (kind, summary, _) in rows.items():
        if name not in fields:
            continue
        if fields[name].get("description") != summary:
            faults.append(f"{name}: the description is not the table's: "
                          f"{summary}")
        if kind not in TYPES:
            faults.append(f"{name}: this check does not know type {kind}")
        elif TYPES[kind] not in types_of(schema, fields[name]):
            faults.append(f"{name}: {kind} is not among its types")
        if "null" not in types_of(schema, fields[name]):
            faults.append(f"{name}: null cannot take it away")
    return faults


def kind_faults(schema, rows):
    """Fields that do not go with a kind are refused beside it."""
    faults = []
    rules = schema["$defs"]["kinds"]["allOf"]
    for kind, rule in zip(KINDS, rules):
        refused = set(rule["then"]["properties"])
        wanted = {name for name, row in rows.items() if kind not in row[2]}
        faults += [f"{kind} with {name}" for name in refused ^ wanted]
    alone = set(rules[len(KINDS)]["then"]["properties"])
    wanted = {name for name, row in rows.items()
              if "qemu" not in row[2] and name not in KINDS}
    return faults + [f"no kind with {name}" for name in alone ^ wanted]


def word_faults(schema):
    faults = []
    for path, name, where in WORDS:
        words = source_array(path, name)
        have = words_of(at(schema, where))
        if words is None or not set(words) <= have:
            faults.append(f"{path}: {name} is not what {where} has")
        elif have - set(words) - {"bios"}:
            faults.append(f"{where}: {sorted(have - set(words))}")
    for path, name, where in MEMBERS:
        names = source_array(path, name)
        if names is None or set(names) != set(at(schema, where)["properties"]):
            faults.append(f"{path}: {name} is not what {where or 'it'} has")
    raw = at(schema, "$defs/nic/anyOf/0")["pattern"]
    if (set(re.match(r"\^\(\(([^)]*)\)", raw).group(1).split("|"))
            != set(source_array("src/fleet/spec-nics.c", "raw_types"))):
        faults.append("nics: not the readers' types of -nic")
    bauds = re.search(r"bauds\[\] = \{(.*?)\};",
                      read("src/fleet/spec-read.c"), re.S).group(1)
    if ({int(baud) for baud in re.findall(r"\d+", bauds)}
            != words_of(at(schema, "$defs/fields/properties/baud"))):
        faults.append("baud: not the readers' speeds")
    return faults


def limit_faults(schema):
    faults = []
    for path, name, where, key in LIMITS:
        number = source_number(path, name)
        have = {part[key] for part in parts_of(at(schema, "$defs/" + where))
                if key in part}
        if have != {number}:
            faults.append(f"{where}: {key} is {have}, {name} is {number}")
    return faults


def examples():
    """Fleets in the documents: name -> value. What stands in a manual's code
    block and looks like a fleet must be one."""
    found = {}
    for path in DOCUMENTS:
        text = read(path)
        for number, match in enumerate(
                re.finditer(r'^( *)\{\s*"(?:version|\$schema)"', text, re.M)):
            try:
                value, _ = json.JSONDecoder().raw_decode(text[match.end(1):])
            except ValueError as error:
                value = f"no JSON: {error}"
            if not isinstance(value, dict) or "guests" in value:
                found[f"{path} ({number + 1})"] = value
    return found


def malformed_fault(validator, row):
    """A schema's fault with one row of the table, or None."""
    errors = []
    for name, lines in row["files"].items():
        try:
            value = json.loads("\n".join(lines))
        except ValueError:
            errors.append(f"{name} is no JSON")
            continue
        errors += [error.message for error in validator.iter_errors(value)]
    if bool(errors) == (row["seen"] == "schema"):
        return None
    return f"{row['what']}: seen by {row['seen']}, but {errors[:1] or 'taken'}"


def rows_in_c():
    """The pairs of text and message in the C table."""
    text = read(TABLE_IN_C)
    guest = re.search(r"#define GUEST\(fields\) (.*)", text).group(1)
    before, after = guest.split(" fields ")
    table = re.search(r"malformed\[\] = \{(.*?)^\};", text, re.M | re.S).group(1)
    table = re.sub(r"/\*.*?\*/", "", table, flags=re.S)
    literal = r'"(?:[^"\\]|\\.)*"'
    row = re.compile(rf"\{{\s*(GUEST\()?((?:\s*{literal})+)\)?,"
                     rf"\s*((?:\s*{literal})+)\s*\}}", re.S)
    for match in row.finditer(table):
        literals = match.group(2)
        if match.group(1):
            literals = before + literals + after
        try:
            yield [b"".join(
                part.encode().decode("unicode_escape").encode("latin-1")
                for part in re.findall(r'"((?:[^"\\]|\\.)*)"', group)
            ).decode() for group in (literals, match.group(3))]
        except UnicodeError:
            continue  # bytes that are no text are no JSON either


def faults_in_c(validator):
    rows = list(rows_in_c())
    faults = [] if len(rows) > 80 else [f"only {len(rows)} rows were read"]
    for text, message in rows:
        try:
            value = json.loads(text)
        except ValueError:
            continue
        if validator.is_valid(value) and not MEANING.search(message):
            faults.append(f"taken: {text}: {message}")
    return faults


def main():
    tap = Tap()
    schema, rows = json.loads(read(SCHEMA)), table_rows()
    tap.check("the_schema_has_the_tables_fields_types_and_words_of_help",
              field_faults(schema, rows) if rows else ["no rows"])
    tap.check("the_schema_knows_which_fields_go_with_which_kind",
              kind_faults(schema, rows))
    tap.check("the_schemas_words_are_those_of_the_readers",
              word_faults(schema))
    tap.check("the_schemas_limits_are_those_of_the_readers",
              limit_faults(schema))
    try:
        from jsonschema import Draft202012Validator
    except ImportError:
        tap.skip("the_schema_takes_and_refuses_what_the_program_does",
                 "python3-jsonschema is not installed")
        tap.finish()
        return
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    good = examples()
    tap.check("every_example_of_the_documents_is_taken",
              [f"{name}: {error.message}" for name, value in good.items()
               for error in validator.iter_errors(value)]
              + ([] if len(good) > 4 else [f"only {len(good)} examples"]))
    table = json.loads(read(MALFORMED))
    tap.check("malformed_fleets_are_refused_where_a_schema_can_see_it",
              [fault for row in table
               if (fault := malformed_fault(validator, row))]
              + faults_in_c(validator))
    tap.finish()


if __name__ == "__main__":
    sys.exit(main())
