#!/usr/bin/env python3
"""Compares vppkit's `encode --batch` and `decode --batch` with vpp_papi on random messages.

    pip install vpp_papi==2.4.2
    tests/vectors/check_random.py --api-dir /usr/share/vpp/api --count 10000 target/release/vppkit

Exit code 1 when a message differs; the first ones are printed.
"""

import argparse
import json
import random
import subprocess
import sys

from messages import Api, Form, Random


def batch(binary, command, api_dir, lines):
    """The answers of the program to lines of JSON, one each."""
    result = subprocess.run(
        [binary, command, "--batch", "--api-dir", api_dir],
        input="".join(json.dumps(line, allow_nan=False) + "\n" for line in lines),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    answers = result.stdout.splitlines()
    if len(answers) != len(lines):
        sys.exit(f"{binary} {command}: {len(answers)} answers to {len(lines)} lines, exit code {result.returncode}")
    return answers


def shown(answer):
    """The fields of a decoded message, without what names it."""
    try:
        fields = json.loads(answer)
    except json.JSONDecodeError:
        return answer
    return json.dumps({name: value for name, value in fields.items() if name not in ("_msgname", "_crc")})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="the vppkit program")
    parser.add_argument("--api-dir", required=True, help="folder with VPP's *.api.json")
    parser.add_argument("--newest", help="folder of VPP 26.06 or later, whose definitions say what selects unions")
    parser.add_argument("--count", type=int, default=10000, help="messages to compare")
    parser.add_argument("--seed", help="to repeat a run; printed at its start")
    options = parser.parse_args()
    seed = options.seed or f"{random.SystemRandom().getrandbits(64):016x}"
    print(f"seed {seed}")

    api = Api(options.api_dir, options.newest)
    form, names = Form(api), sorted(api.messages)
    picks = random.Random(seed).choices(names, k=max(0, options.count - len(names)))
    # Each message once before any comes twice.
    chosen = (names + picks)[: options.count]
    cases = []
    for turn, name in enumerate(chosen):
        message = api.messages[name]
        header = {field.name: 0 for field in message.fields[: message.header]}
        values = Random(api, f"{seed} {turn}").block(message.fields[message.header :])
        data = message.packer.pack(header | values)
        cases.append((name, form.message(message, data), data.hex()))

    encoded = batch(options.binary, "encode", options.api_dir, [{"name": n, "fields": f} for n, f, _ in cases])
    decoded = batch(options.binary, "decode", options.api_dir, [{"name": n, "hex": h} for n, _, h in cases])
    wrong = 0
    for (name, fields, expected), bytes_, answer in zip(cases, encoded, decoded):
        differences = []
        if bytes_ != expected:
            differences.append(f"  encoded {bytes_}\n  instead {expected}")
        if shown(answer) != json.dumps(fields):
            differences.append(f"  decoded {answer}\n  instead {json.dumps(fields)}")
        if differences:
            wrong += 1
            if wrong <= 5:
                print(f"{name} {json.dumps(fields)}", *differences, sep="\n")
    print(f"{len(cases)} messages of {len(set(chosen))} kinds compared, {wrong} differ")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
