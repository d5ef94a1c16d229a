"""Runs `mailrun` in processes of their own, forked from one that has imported everything already.

A command starts in a hundredth of the time, which is not what these tests are about. Requests come as lines of JSON
on standard input, a socket, each with four descriptors: the command's stdin, stdout and stderr, and a pipe that is
told its process id and then its exit code. Ends when the socket does.
"""

import json
import os
import signal
import socket
import sys

from console import app, explanations
from console.actions import approvals, attention, cancellation, mailings
from console.actions.campaigns import send
from console.actions.operations import doctor, run_command
from console.main import main

WARM = (app, approvals, doctor, cancellation, mailings, explanations, run_command, attention, send)
LONGEST_REQUEST = 1 << 20


def serve(requests: socket.socket) -> None:
    while True:
        line, descriptors, _, _ = socket.recv_fds(requests, LONGEST_REQUEST, 4)
        while line and not line.endswith(b"\n"):
            line += requests.recv(LONGEST_REQUEST)
        if not line:
            return
        if os.fork() == 0:
            requests.close()
            watch(json.loads(line), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def watch(request: dict[str, object], stdin: int, stdout: int, stderr: int, report: int) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        os.close(report)
        become(request, stdin, stdout, stderr)
    os.write(report, b"%d\n" % pid)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.write(report, b"%d\n" % code)
    os._exit(0)


def become(request: dict[str, object], *streams: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN if request["sigint_ignored"] else signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(str(request["directory"]))
    os.environ.clear()
    os.environ.update(request["env"])  # type: ignore[call-overload]
    sys.argv[1:] = request["arguments"]  # type: ignore[call-overload]
    code = 1
    try:
        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    serve(socket.socket(fileno=os.dup(sys.stdin.fileno())))
