#!/usr/bin/env python3
"""Makes the golden vectors: messages with the bytes that vpp_papi packs them to.

    pip install vpp_papi==2.4.2
    tests/vectors/make_vectors.py --api-dir /usr/share/vpp/api --out tests/vectors/26.06.jsonl

For each message of the folder first a line with all fields at their defaults, then lines with random values (none for
a message without fields). The output is the same on every run.
"""

import argparse
import json

from messages import Api, Defaults, Form, Random


def line(message, data, form):
    return {"name": message.name, "crc": message.crc, "fields": form.message(message, data), "hex": data.hex()}


def lines(api, seed, rounds):
    form = Form(api)
    for name in sorted(api.messages):
        message = api.messages[name]
        header = {field.name: 0 for field in message.fields[: message.header]}
        fields = message.fields[message.header :]
        plain = message.packer.pack(header | Defaults(api).block(fields))
        yield line(message, plain, form)
        seen = {plain}
        for turn in range(rounds):
            data = message.packer.pack(header | Random(api, f"{seed} {name} {turn}").block(fields))
            if data not in seen:
                seen.add(data)
                yield line(message, data, form)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--api-dir", required=True, help="folder with VPP's *.api.json")
    parser.add_argument("--newest", help="folder of VPP 26.06 or later, whose definitions say what selects unions")
    parser.add_argument("--out", required=True, help="file to write")
    parser.add_argument("--seed", default="vppkit", help="another seed makes other random values")
    parser.add_argument("--rounds", type=int, default=2, help="random lines per message")
    options = parser.parse_args()
    made = list(lines(Api(options.api_dir, options.newest), options.seed, options.rounds))
    with open(options.out, "w", encoding="utf-8") as file:
        for entry in made:
            file.write(json.dumps(entry, separators=(",", ":"), allow_nan=False, ensure_ascii=False) + "\n")
    print(f"{len(made)} vectors of {len({entry['name'] for entry in made})} messages")


if __name__ == "__main__":
    main()
