"""A program run under limits, and the checks of what it did."""
import os
import subprocess
import tempfile
import time


class Result:
    def __init__(self, code, text, seconds, mebibytes):
        self.code, self.text, self.seconds, self.mebibytes = code, text, seconds, mebibytes

    def tail(self):
        return " ".join(self.text[-500:].split())


class Failures:
    def __init__(self):
        self.checks = 0
        self.count = 0

    def check(self, holds, what):
        self.checks += 1
        if not holds:
            self.count += 1
            print("FAILED:", what.encode(errors="backslashreplace").decode(), flush=True)

    def finish(self):
        print(f"{self.checks} checks, {self.count} failed")
        return 1 if self.count or not self.checks else 0


def sanitized(program):
    with open(program, "rb") as file:
        return b"__asan_init" in file.read()


class Programs:
    """The programs of a build. Under sanitizers memory and time are not looked at."""

    def __init__(self, tools):
        self.tools = os.path.abspath(tools)
        self.plain = not sanitized(os.path.join(self.tools, "convert"))

    def run(self, words, directory, timeout=120, limits=()):
        limits = ["--core=0", *limits, *(["--as=4294967296", "--cpu=20"] if self.plain else [])]
        program = os.path.join(self.tools, words[0])
        environment = dict(os.environ, OMP_NUM_THREADS="1", LC_ALL="C", TERM="dumb")
        with tempfile.TemporaryFile() as output:
            child = subprocess.Popen(["prlimit", *limits, program, *words[1:]], stdout=output,
                                     stderr=output, stdin=subprocess.DEVNULL, env=environment,
                                     cwd=directory)
            status, usage = _wait(child, timeout)
            output.seek(0)
            text = output.read().decode(errors="surrogateescape")
        return Result(os.waitstatus_to_exitcode(status), text, usage.ru_utime + usage.ru_stime,
                      usage.ru_maxrss / 1024)


def _wait(child, timeout):
    """wait4, which knows what the child used; a child that takes too long is killed."""
    until = time.monotonic() + timeout
    pause = 0.002
    while True:
        done, status, usage = os.wait4(child.pid, os.WNOHANG)
        if done:
            child.returncode = os.waitstatus_to_exitcode(status)
            return status, usage
        if time.monotonic() > until:
            child.kill()
            until += timeout
        time.sleep(pause)
        pause = min(pause * 1.3, 0.05)
