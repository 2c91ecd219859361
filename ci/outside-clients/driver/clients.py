"""Runs the client programs and reads what they print."""

import json
import os
import pathlib
import signal
import subprocess

PROGRAMS = pathlib.Path(__file__).resolve().parent.parent
PATIENCE = 45


def command(client, program, wanted, work):
    """The command line of a client program: `client` is a column such as `node mqtt`."""
    if client.startswith("node"):
        return ["node", str(PROGRAMS / "node" / f"{program}.js"), json.dumps(wanted)]
    script = PROGRAMS / "python" / f"{program.replace('-', '_')}.py"
    return [f"{work}/venv/bin/python", str(script), json.dumps(wanted)]


def start(client, program, wanted, work):
    """Starts a client program."""
    return subprocess.Popen(
        command(client, program, wanted, work),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process, patience=PATIENCE):
    """Waits for a client program; what it printed, or that it printed nothing in time."""
    try:
        output, errors = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return {"ok": False, "error": "NoAnswer", "message": f"nothing within {patience} s"}
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if lines:
        return json.loads(lines[-1])
    return {"ok": False, "error": "Crash", "message": errors.strip()[-4000:]}


def ask(client, program, wanted, work, patience=PATIENCE):
    """Runs a client program to its end."""
    return finish(start(client, program, wanted, work), patience)
