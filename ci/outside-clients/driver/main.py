"""Runs every case with every client against `hil serve` and prints a table."""

import argparse
import concurrent.futures
import fnmatch
import json
import pathlib
import re
import sys
import traceback

from cases import ASSIGNED, CASES, EVERY, Broken, Error
from clients import ask
from conversations import TALKS, hold
from tls import tls_checks
from world import DPS_SUFFIX, HUB, SCOPE, World, isolate

PARALLEL = 4


def id_of(index, client):
    """A registration id that no rule fits by chance."""
    return f"c{index}-{client.replace(' ', '-')}"


def rules():
    """The fault rules of all cases, each for its own devices or its own host."""
    found = []
    for index, case in enumerate(CASES):
        for fault in case.faults:
            if fault.get("method") == "TLS":
                found.append({"host": f"{case.host}.{DPS_SUFFIX}", **fault})
            else:
                # One rule for each device: a rule counts its own exchanges.
                found += [{"device": id_of(index, client), **fault} for client in case.expected]
    return found


def provision(world, index, case, client, work):
    """Registers a device as the case says; what the client printed."""
    registration_id = id_of(index, client)
    proof = world.prove(case.security, registration_id)
    world.enrol(case.enrolment, registration_id, proof)
    wanted = {
        "transport": client.split()[1],
        "host": f"{case.host}.{DPS_SUFFIX}",
        "scope": SCOPE,
        "registration_id": registration_id,
        "ca": world.authority,
        "security": proof,
        **case.changes,
    }
    for _ in range(case.times):
        result = ask(client, "provision", wanted, work)
    return result


def judge(expected, result):
    """One word for the cell, and whether the result is what was expected."""
    said = f"{result.get('error')}: {result.get('message')}"
    match expected:
        case str():
            as_wanted = result["ok"] and result.get("status") in (expected, None)
            as_wanted = as_wanted and bool(result.get("hub"))
            return "ok", as_wanted
        case Error(pattern):
            return "error", not result["ok"] and re.search(pattern, said) is not None
        case Broken(pattern, _):
            return "broken", not result["ok"] and re.search(pattern, said) is not None
        case dict():
            done = result.get("done", {})
            missing = [
                name
                for name, wanted in expected.items()
                if not (
                    done.get(name) is True if wanted is True else wanted in str(done.get(name))
                )
            ]
            result["missing"] = missing
            return "ok", result["ok"] and not missing
    raise TypeError(expected)


def cell(action, expected):
    """Runs one cell; trouble of ours is told from the client's answer."""
    try:
        result = action()
    except Exception:  # pylint: disable=broad-except
        return {"word": "trouble", "right": False, "result": traceback.format_exc()}
    word, right = judge(expected, result)
    return {"word": word if right else "WRONG", "right": right, "result": result}


def table(rows):
    """The table as text."""
    width = max(len(name) for _, name in rows)
    lines = [f"{'row':>3}  {'behaviour':<{width}}  " + "  ".join(f"{c:<14}" for c in EVERY)]
    for (number, name), cells in rows.items():
        words = "  ".join(
            f"{cells[client]['word'] if client in cells else '-':<14}" for client in EVERY
        )
        lines.append(f"{number:>3}  {name:<{width}}  {words}".rstrip())
    return "\n".join(lines)


def run(world, work, only):
    """Runs all cells, some side by side; the rows with their cells."""
    jobs = {}
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        for index, case in enumerate(CASES):
            for client, expected in case.expected.items():
                if fnmatch.fnmatch(case.name, only):
                    def action(index=index, case=case, client=client):
                        return provision(world, index, case, client, work)
                    jobs[case.row, case.name, client] = pool.submit(cell, action, expected)
        for number, talk in enumerate(TALKS):
            for client, expected in talk.expected.items():
                if fnmatch.fnmatch(talk.name, only):
                    def action(number=number, talk=talk, client=client):
                        name = f"t{number}-{client.replace(' ', '-')}"
                        return hold(world, talk, client, work, name)
                    jobs[talk.row, talk.name, client] = pool.submit(cell, action, expected)
        finished = 0
        for job in concurrent.futures.as_completed(jobs.values()):
            finished += 1
            if sys.stderr.isatty():
                print(f"\r{finished} of {len(jobs)} cells", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    rows = {}
    for (row, name, client), job in sorted(jobs.items(), key=lambda item: item[0][:2]):
        rows.setdefault((row, name), {})[client] = job.result()
    return rows


def main():
    """The command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", required=True)
    parser.add_argument("--hil", required=True)
    parser.add_argument("--elf", required=True)
    parser.add_argument("--only", default="*")
    arguments = parser.parse_args()
    labels = {case.host for case in CASES} | {"hil-dps"}
    hosts = [f"{label}.{DPS_SUFFIX}" for label in sorted(labels)] + [HUB]
    isolate(hosts, arguments.work)
    world = World(arguments.hil, arguments.elf, arguments.work, rules())
    try:
        rows = run(world, arguments.work, arguments.only)
        settings = tls_checks(world, hosts)
    finally:
        code = world.stop()
    print(table(rows))
    print()
    for name, right, said in settings:
        print(f"{'ok' if right else 'WRONG':<6} {name}: {said}")
    reasons = {
        (name, expected.reason)
        for each in (*CASES, *TALKS)
        for name, expected in each.expected.items()
        if isinstance(expected, Broken)
    }
    print("\nbroken = the client itself breaks, as is known:")
    for client, reason in sorted(reasons):
        print(f"  {client}: {reason}")
    wrong = [
        (name, client, found["result"])
        for (_, name), cells in rows.items()
        for client, found in cells.items()
        if not found["right"]
    ]
    for name, client, result in wrong:
        shown = result if isinstance(result, str) else json.dumps(result)
        print(f"\nWRONG {name}, {client}:\n  {shown}")
    report = pathlib.Path(arguments.work) / "table.json"
    report.write_text(
        json.dumps([[*row, cells] for row, cells in rows.items()], indent=1), encoding="utf-8"
    )
    cells = sum(len(found) for found in rows.values())
    bad = len(wrong) + sum(not right for _, right, _ in settings)
    print(f"\n{cells} cells and {len(settings)} TLS checks, {bad} not as expected")
    if code != 0:
        said = "did not end by itself" if code is None else f"ended with exit code {code}"
        print(f"hil serve {said}")
        bad += 1
    return 1 if bad else 0


sys.exit(main())
