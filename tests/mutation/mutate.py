"""mutate.py BUILD_DIR [--mutants N] [--seed N] [--minutes N] [--report FILE]: a test of the tests.

Makes N small faults, drawn by a seed, in the sources of parsers, checkpoints and evaluators: a
comparison turned, moved by one or negated, a check dropped, a number moved by one, "and" for "or".
Each is compiled alone, linked into the tests of its room and must make one of them fail. Prints a
line for each, and the share that was noticed. A fault that does not compile does not count.

BUILD_DIR is a configured and built tree of the cpu preset. Nothing in it or in the sources changes.
"""
import argparse
import json
import os
import random
import re
import shlex
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Sources, and the tests that know them.
ROOMS = [
    (r"tools/pth/\w+\.cpp", r"tools\.pth\.|tools\.weights_test$"),
    (r"core/io/safetensors\w*\.cpp", r"core\.io\.safetensors|core\.io\.failed"),
    (r"data/coco/\w+\.cpp", r"data\.coco\.(?!load_time)"),
    (r"data/masks/(polygon|rle\w*)\.cpp", r"data\.masks\."),
    (r"data/evaluation/\w+\.cpp", r"data\.evaluation\."),
    (r"tools/trainer/checkpoint_\w+\.cpp", r"tools\.trainer\.(checkpoint|resume)"),
]

TURNS = [
    (r" < ", " <= "), (r" <= ", " < "), (r" > ", " >= "), (r" >= ", " > "),
    (r" == ", " != "), (r" != ", " == "), (r" && ", " || "), (r" \|\| ", " && "),
    (r" \+ 1\b", " + 2"), (r" - 1\b", ""), (r" \+ ", " - "),
    (r"\bif \(([^;{}]*)\) (?=(?:throw|return|fail|refuse|continue|break)\b)", r"if (false && (\1)) "),
    (r"\bif \((?!constexpr)([^;{}]*)\) \{$", r"if (!(\1)) {"),
    (r"\bif \((?!constexpr)([^;{}]*)\) \{$", r"if (false && (\1)) {"),
    (r"\btrue\b", "false"), (r"\bfalse\b", "true"),
]


def code_lines(text):
    for number, line in enumerate(text.split("\n")):
        bare = line.strip()
        if bare.startswith(("//", "#", "*", "static_assert", "template")) or '"' in line:
            continue
        yield number, line.split("  // ")[0]


def mutants_of(source):
    with open(os.path.join(ROOT, source)) as file:
        text = file.read()
    for number, line in code_lines(text):
        for pattern, new in TURNS:
            for match in re.finditer(pattern, line):
                changed = line[:match.start()] + match.expand(new) + line[match.end():]
                yield source, number, line, changed


class Build:
    def __init__(self, directory, scratch):
        self.directory = os.path.abspath(directory)
        self.scratch = scratch
        with open(os.path.join(self.directory, "compile_commands.json")) as file:
            self.commands = {entry["file"]: entry for entry in json.load(file)}
        listed = self.ninja("-t", "targets", "all")
        self.targets = sorted(set(re.findall(r"^(tests/\S*_test): ", listed, re.M)))

    def ninja(self, *words):
        return subprocess.run(["ninja", "-C", self.directory, *words], capture_output=True, text=True,
                              check=True).stdout

    def tests(self, source):
        wanted = next(tests for sources, tests in ROOMS if re.fullmatch(sources, source))
        programs = [t for t in self.targets if re.match(wanted, os.path.basename(t))]
        stem = os.path.basename(source)[:-4]
        # The one of its own name first: it most likely sees the fault.
        return sorted(programs, key=lambda t: stem not in os.path.basename(t))

    def compile(self, source, text):
        entry = self.commands[os.path.join(ROOT, source)]
        words = [w for w in shlex.split(entry["command"]) if not w.endswith("ccache")]
        for option in ("-MF", "-MT", "-o"):
            if option in words:
                del words[words.index(option):words.index(option) + 2]
        words = [w for w in words if w not in ("-MD", "-MMD", "-c", entry["file"], "-Werror")]
        copy = os.path.join(self.scratch, os.path.basename(source))
        with open(copy, "w") as file:
            file.write(text)
        target = os.path.join(self.scratch, "mutant.o")
        words += ["-O1", "-w", f"-I{ROOT}/{os.path.dirname(source)}", "-c", copy, "-o", target]
        done = subprocess.run(words, cwd=entry["directory"], capture_output=True)
        return target if done.returncode == 0 else None

    def link(self, test, target):
        """The test's own command, with the object before the library that has it."""
        command = self.ninja("-t", "commands", test).strip().split("\n")[-1]
        command = command.removeprefix(": && ").removesuffix(" && :")
        program = os.path.join(self.scratch, "mutant_test")
        command = re.sub(r" -o \S+", lambda _: f" -o {program} {target}", command, count=1)
        subprocess.run(command, shell=True, cwd=self.directory, check=True, capture_output=True)
        return program

    def noticed(self, source, target):
        """The test that fails, or None."""
        for test in self.tests(source):
            program = self.link(test, target)
            try:
                ended = subprocess.run([program], cwd=self.scratch, capture_output=True, timeout=120)
                if ended.returncode != 0:
                    return os.path.basename(test)
            except subprocess.TimeoutExpired:
                return os.path.basename(test) + " (time)"
        return None


def draw(seed):
    """Rooms in turn, so that a large one does not crowd out the others."""
    generator = random.Random(seed)
    files = subprocess.run(["git", "ls-files", "*.cpp"], cwd=ROOT, capture_output=True, text=True,
                           check=True).stdout.split()
    piles = []
    for pattern, _ in ROOMS:
        pile = [m for f in files if re.fullmatch(pattern, f) for m in mutants_of(f)]
        generator.shuffle(pile)
        piles.append(pile)
    while any(piles):
        for pile in piles:
            if pile:
                yield pile.pop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--mutants", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--report")
    options = parser.parse_args()
    until = time.monotonic() + 60 * options.minutes
    killed, survivors = 0, []
    with tempfile.TemporaryDirectory(prefix="mrcnn_mutate_") as scratch:
        build = Build(options.build, scratch)
        for source, number, line, changed in draw(options.seed):
            count = killed + len(survivors)
            if count == options.mutants or time.monotonic() > until:
                break
            with open(os.path.join(ROOT, source)) as file:
                lines = file.read().split("\n")
            lines[number] = changed
            target = build.compile(source, "\n".join(lines))
            if target is None:
                continue
            test = build.noticed(source, target)
            killed += test is not None
            what = f"{source}:{number + 1}: `{line.strip()}` -> `{changed.strip()}`"
            if test is None:
                survivors.append(what)
            print(f"{count + 1} {'killed by ' + test if test else 'SURVIVED'}: {what}", flush=True)
    count = killed + len(survivors)
    summary = f"{killed} of {count} mutants killed, seed {options.seed}"
    print(summary)
    if options.report:
        with open(options.report, "w") as file:
            file.write(summary + "\n\nSurvivors:\n\n" + "".join(f"- {s}\n" for s in survivors))
    return 0 if count and killed >= 0.9 * count else 1


sys.exit(main())
