"""Messages of VPP's binary API: random values for vpp_papi, and the JSON form in which vppkit shows their bytes.

The bytes are vpp_papi's, and so are the values read from them. The JSON form is written here a second time, apart from
the toolkit, from docs/json-form.md.
"""

import glob
import ipaddress
import json
import math
import os
import random
import string
import struct
from datetime import datetime, timedelta, timezone

from vpp_papi import vpp_serializer
from vpp_papi.vpp_papi import VPPApiJSONFiles

INTEGERS = {
    "u8": (0, 2**8 - 1),
    "i8": (-(2**7), 2**7 - 1),
    "u16": (0, 2**16 - 1),
    "i16": (-(2**15), 2**15 - 1),
    "u32": (0, 2**32 - 1),
    "i32": (-(2**31), 2**31 - 1),
    "u64": (0, 2**64 - 1),
    "i64": (-(2**63), 2**63 - 1),
}
PRINTABLE = string.ascii_letters + string.digits + string.punctuation + " "


class Field:
    """A field of a definition: [type, name, length?, count field?, options?]."""

    def __init__(self, parts):
        self.options = next((part for part in parts if isinstance(part, dict)), {})
        parts = [part for part in parts if not isinstance(part, dict)]
        self.type, self.name = parts[0], parts[1]
        self.length = parts[2] if len(parts) > 2 else None
        self.count = parts[3] if len(parts) > 3 else None


class Definition:
    """A struct, union, enum, enumflag or alias."""

    def __init__(self, kind, parts):
        self.kind = kind
        if kind == "alias":
            self.field = Field([parts["type"], "", *([parts["length"]] if "length" in parts else [])])
        elif kind in ("enum", "enumflag"):
            self.repr = next(part["enumtype"] for part in parts if isinstance(part, dict))
            self.members = [part for part in parts if isinstance(part, list)]
        else:
            self.fields = [Field(part) for part in parts if isinstance(part, list)]


class Message:
    """A message with vpp_papi's packer."""

    def __init__(self, name, parts, packer):
        self.name = name
        self.crc = next(part["crc"] for part in parts if isinstance(part, dict)).removeprefix("0x")
        self.fields = [Field(part) for part in parts if isinstance(part, list)]
        self.packer = packer
        # The id and the leading client index and context are words of the header.
        names = [field.name for field in self.fields]
        self.header = 1
        self.header += names[self.header : self.header + 1] == ["client_index"]
        self.header += names[self.header : self.header + 1] == ["context"]


def definitions(folder):
    """The paths, types and messages of a folder of *.api.json."""
    types, messages = {}, {}
    paths = sorted(glob.glob(os.path.join(folder, "**", "*.api.json"), recursive=True))
    for path in paths:
        with open(path, encoding="utf-8") as file:
            api = json.load(file)
        for key, kind in (("types", "struct"), ("unions", "union"), ("enums", "enum"), ("enumflags", "enumflag")):
            for name, *parts in api.get(key, []):
                types[f"vl_api_{name}_t"] = Definition(kind, parts)
        for name, parts in api.get("aliases", {}).items():
            types[f"vl_api_{name}_t"] = Definition("alias", parts)
        messages.update((name, parts) for name, *parts in api.get("messages", []))
    return paths, types, messages


class Api:
    """The definitions of a folder of *.api.json. What selects the member of a union is said by those of VPP 26.06 and
    later only: `newest` is a folder of such a VPP."""

    def __init__(self, folder, newest=None):
        paths, self.types, messages = definitions(folder)
        self.complete(definitions(newest)[1] if newest else self.types)
        _, packers, _ = VPPApiJSONFiles.load_api(apifiles=paths)
        self.messages = {name: Message(name, parts, packers[name]) for name, parts in messages.items()}

    def complete(self, newest):
        for name, definition in self.types.items():
            known = newest.get(name)
            if definition.kind not in ("struct", "union") or known is None or known.kind != definition.kind:
                continue
            options = {field.name: field.options for field in known.fields}
            for field in definition.fields:
                for key in ("discriminator", "case"):
                    if key in options.get(field.name, {}):
                        field.options.setdefault(key, options[field.name][key])
        # No definition says that the family of an mprefix selects both of its addresses. VPP reads no other member.
        if "vl_api_mprefix_t" in self.types:
            for field in self.types["vl_api_mprefix_t"].fields:
                if field.type == "vl_api_address_union_t":
                    field.options["discriminator"] = "af"

    def target(self, name):
        """A type through its aliases of single values."""
        definition = self.types.get(name)
        while definition and definition.kind == "alias" and definition.field.length is None:
            name = definition.field.type
            definition = self.types.get(name)
        return name, definition

    def case_values(self, union, discriminator):
        """The members of a union with the values that select them."""
        _, enum = self.target(discriminator.type)
        values = {}
        for member in self.target(union.type)[1].fields:
            case = member.options.get("case")
            for name, value in enum.members:
                if name == case:
                    values[value] = member
        return values


def selects(field, union):
    """Whether a field selects the member of a union behind it."""
    return union.options.get("discriminator") == field.name


def bits(name, value):
    """An integer cut to its type: defaults may exceed it."""
    low, high = INTEGERS[name]
    value %= high - low + 1
    return value - (high - low + 1) if value > high else value


class Defaults:
    """Values for vpp_papi: each field its default, or zero."""

    def __init__(self, api):
        self.api = api

    def block(self, fields):
        values = {}
        for field in fields:
            values[field.name] = self.field(field)
        return values

    def field(self, field):
        if field.type == "string":
            return ""
        if field.length is None:
            return self.one(field.type, field.options.get("default"))
        if field.type == "u8":
            return b"\0" * field.length
        return [self.one(field.type, None) for _ in range(field.length)]

    def one(self, name, default):
        name, definition = self.api.target(name)
        if definition is None:
            if name == "bool":
                return default not in (None, False, 0, "false")
            return float(default or 0) if name == "f64" else bits(name, int(default or 0))
        if definition.kind == "alias":
            return self.field(definition.field)
        if definition.kind == "struct":
            return self.block(definition.fields)
        if definition.kind == "union":
            return None
        return bits(definition.repr, int(default or 0))


class Random:
    """Values for vpp_papi: anything that fits, the ends of ranges more often than the rest."""

    def __init__(self, api, seed):
        self.api = api
        self.rng = random.Random(seed)

    def block(self, fields):
        rng, values = self.rng, {}
        selected = {}
        for index, field in enumerate(fields):
            later = fields[index + 1 :]
            if any(other.count == field.name for other in later):
                values[field.name] = rng.choice((0, 1, 2, 3))
            elif unions := [other for other in later if selects(field, other)]:
                cases = self.api.case_values(unions[0], field)
                repr_ = self.api.target(field.type)[1].repr
                unknown = [value for value in (200, INTEGERS[repr_][1]) if value not in cases]
                value = rng.choice(unknown) if rng.random() < 0.1 else rng.choice(sorted(cases))
                values[field.name] = value
                for union in unions:
                    member = self.api.case_values(union, field).get(value)
                    selected[union.name] = member or rng.choice(self.api.target(union.type)[1].fields)
            elif field.name in selected:
                member = selected[field.name]
                values[field.name] = {member.name: self.field(member, {})}
            else:
                values[field.name] = self.field(field, values)
        return values

    def field(self, field, before):
        rng = self.rng
        if field.type == "string":
            longest = field.length - 1 if field.length else 40
            length = rng.choice((0, longest, rng.randint(0, longest), rng.randint(0, min(longest, 12))))
            return "".join(rng.choices(PRINTABLE, k=length))
        if field.length is None:
            return self.one(field.type)
        count = before[field.count] if field.count else field.length
        if field.type == "u8":
            return self.bytes(count)
        return [self.one(field.type) for _ in range(count)]

    def bytes(self, count):
        byte = self.rng.choice((None, None, None, 0, 0xFF))
        return bytes(self.rng.randint(0, 255) if byte is None else byte for _ in range(count))

    def one(self, name):
        rng = self.rng
        if name in ("vl_api_timestamp_t", "vl_api_timedelta_t"):
            whole = rng.choice((0, 946684800, rng.randint(0, 2**31)))
            return rng.choice((float(whole), whole + rng.randint(0, 999999) / 1e6, whole + rng.random(), rng.random()))
        name, definition = self.api.target(name)
        if name == "bool":
            return rng.random() < 0.5
        if name == "f64":
            specials = (0.0, -0.0, 1.0, -1.5, math.pi, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, math.nan)
            return rng.choice((rng.choice(specials), rng.uniform(-1e6, 1e6)))
        if name in INTEGERS:
            low, high = INTEGERS[name]
            return rng.choice((low, high, 0, 1, rng.randint(low, high), rng.randint(0, min(high, 1000))))
        if definition.kind == "alias":
            return self.field(definition.field, {})
        if definition.kind == "struct":
            values = self.block(definition.fields)
            if name == "vl_api_prefix_t" and rng.random() < 0.9:
                values["len"] = rng.randint(0, 128 if values["address"]["af"] else 32)
            if name in ("vl_api_ip4_prefix_t", "vl_api_ip6_prefix_t") and rng.random() < 0.9:
                values["len"] = rng.randint(0, 32 if "ip4" in name else 128)
            return values
        if definition.kind == "union":
            member = rng.choice(definition.fields)
            return {member.name: self.field(member, {})}
        if rng.random() < 0.1:
            return self.one(definition.repr)
        if definition.kind == "enum":
            return bits(definition.repr, rng.choice(definition.members)[1])
        value = 0
        for _, member in definition.members:
            if rng.random() < 0.4:
                value |= member
        return bits(definition.repr, value)


class Form:
    """The JSON form of what vpp_papi reads."""

    def __init__(self, api):
        self.api = api

    def message(self, message, data):
        """The fields behind the header."""
        values, _ = message.packer.unpack(data, ntc=True)
        return self.block(message.fields[message.header :], values[message.header :])

    def block(self, fields, values):
        shown, raw = {}, {field.name: value for field, value in zip(fields, values)}
        by_name = {field.name: field for field in fields}
        for field, value in zip(fields, values):
            selector = field.options.get("discriminator")
            if selector is None:
                shown[field.name] = self.field(field, value)
            else:
                member = self.api.case_values(field, by_name[selector]).get(int(raw[selector]))
                shown[field.name] = self.selected(field, member, value)
        return shown

    def field(self, field, value):
        if field.type == "string":
            return value
        if field.length is None:
            return self.one(field.type, value)
        if field.type == "u8":
            return "0x" + bytes(value).hex()
        return [self.one(field.type, element) for element in value]

    def selected(self, union, member, values):
        """A union of which a discriminator selects a member; the bytes of the whole of it where it selects none."""
        members = self.api.target(union.type)[1].fields
        if member is None:
            return "0x" + self.whole(union.type, values).hex()
        index = [other.name for other in members].index(member.name)
        return {member.name: self.field(member, values[index])}

    def whole(self, union, values):
        """The bytes of a union: those of its largest member."""
        name, definition = self.api.target(union)
        packer = vpp_serializer.types[name]
        sizes = [vpp_serializer.types[member.type].size for member in definition.fields]
        largest = sizes.index(max(sizes))
        return bytes(packer.pack({definition.fields[largest].name: repacked(values[largest])}))

    def one(self, name, value):
        if name in TEXT_TYPES:
            text = TEXT_TYPES[name](value)
            if text is not None:
                return text
        definition = self.api.types.get(name)
        if definition is None:
            if name == "bool":
                return bool(value)
            return number(value) if name == "f64" else int(value)
        if definition.kind == "alias":
            return self.field(definition.field, value)
        if definition.kind == "struct":
            return self.block(definition.fields, value)
        if definition.kind == "union":
            return self.overlaid(name, definition, value)
        value = bits(definition.repr, int(value))
        if definition.kind == "enum":
            names = [member for member, number in definition.members if bits(definition.repr, number) == value]
            return names[0] if names else value
        rest = value = value % 2 ** (8 * vpp_serializer.types[definition.repr].size)
        names = []
        for member, bit in definition.members:
            if bit and value & bit == bit:
                names.append(member)
                rest &= ~bit
        return names + [rest] if rest else names

    def overlaid(self, name, definition, values):
        """All members of a union without a discriminator, those left out whose form would lose some of the bytes."""
        data, complete, shown = self.whole(name, values), False, {}
        for member, value in zip(definition.fields, values):
            size = vpp_serializer.types[member.type].size
            if self.holds(member, data[:size]):
                shown[member.name] = self.field(member, value)
                complete |= not any(data[size:])
        return shown if complete else "0x" + data.hex()

    def holds(self, field, data):
        """Whether the JSON form of a field of fixed size holds all of its bytes."""
        if field.type == "string":
            text, _, rest = data.partition(b"\0")
            return len(text) < len(data) and not any(rest)
        if field.length is not None:
            size = len(data) // field.length
            element = Field([field.type, ""])
            return all(self.holds(element, data[at : at + size]) for at in range(0, len(data), size))
        name, definition = self.api.target(field.type)
        if name == "bool":
            return data[0] < 2
        if name == "f64":
            value = struct.unpack("=d", data)[0]
            return not math.isnan(value) or data == struct.pack("=d", math.nan)
        if name == "vl_api_address_t":
            return data[0] != 0 or not any(data[5:])
        if definition is None or definition.kind in ("enum", "enumflag", "union"):
            return True
        if definition.kind == "alias":
            return self.holds(definition.field, data)
        at = 0
        values = {}
        for part in definition.fields:
            size = vpp_serializer.types[part.type].size * (part.length or 1)
            piece = data[at : at + size]
            values[part.name] = (part, piece)
            if selector := part.options.get("discriminator"):
                by, chosen = values[selector]
                member = self.api.case_values(part, by).get(int.from_bytes(chosen, "big"))
                if member:
                    length = vpp_serializer.types[member.type].size
                    if any(piece[length:]) or not self.holds(member, piece[:length]):
                        return False
            elif not self.holds(part, piece):
                return False
            at += size
        return True


def repacked(value):
    """What vpp_papi reads, in the shape it packs."""
    if hasattr(value, "_asdict"):
        # A union packs its first entry: its members have no order of size, so the caller names one.
        return {name: repacked(part) for name, part in sorted(value._asdict().items(), key=largest_first)}
    return [repacked(part) for part in value] if isinstance(value, list) else value


def largest_first(item):
    return -len(item[1]) if isinstance(item[1], bytes) else 0


def number(value):
    """A floating-point number: JSON has no infinities and no NaN."""
    if math.isnan(value):
        return "NaN"
    return value if math.isfinite(value) else ("inf" if value > 0 else "-inf")


def ip6(data):
    """VPP shows no dotted quad in an IPv6 address."""
    if data[:12] == b"\0" * 10 + b"\xff\xff":
        return f"::ffff:{data[12] << 8 | data[13]:x}:{data[14] << 8 | data[15]:x}"
    return str(ipaddress.IPv6Address(data))


def ip4(data):
    return str(ipaddress.IPv4Address(data))


def address(value):
    if int(value.af) > 1:
        return None
    return ip6(value.un.ip6) if value.af else ip4(value.un.ip4)


def prefix(value):
    text = address(value.address)
    longest = 128 if value.address.af else 32
    return None if text is None or value.len > longest else f"{text}/{value.len}"


def timestamp(value):
    """UTC text with six to nine digits where it is exactly the number."""
    if not math.isfinite(value) or math.copysign(1.0, value) < 0 or value > 2e11:
        return number(value)
    whole = math.floor(value)
    nanoseconds = whole * 10**9 + round((value - whole) * 1e9)
    for digits in range(6, 10):
        unit = 10 ** (9 - digits)
        seconds, fraction = divmod(nanoseconds // unit * unit, 10**9)
        if float(f"{seconds}.{fraction:09}") == value:
            day = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)
            return f"{day:%Y-%m-%dT%H:%M:%S}.{fraction // unit:0{digits}}Z"
    return value


TEXT_TYPES = {
    "vl_api_address_t": address,
    "vl_api_prefix_t": prefix,
    "vl_api_address_with_prefix_t": prefix,
    "vl_api_ip4_address_t": ip4,
    "vl_api_ip6_address_t": ip6,
    "vl_api_ip4_prefix_t": lambda value: f"{ip4(value.address)}/{value.len}" if value.len <= 32 else None,
    "vl_api_ip6_prefix_t": lambda value: f"{ip6(value.address)}/{value.len}" if value.len <= 128 else None,
    "vl_api_ip4_address_with_prefix_t": lambda value: TEXT_TYPES["vl_api_ip4_prefix_t"](value),
    "vl_api_ip6_address_with_prefix_t": lambda value: TEXT_TYPES["vl_api_ip6_prefix_t"](value),
    "vl_api_mac_address_t": lambda value: ":".join(f"{byte:02x}" for byte in value),
    "vl_api_timestamp_t": timestamp,
    "vl_api_timedelta_t": number,
}
