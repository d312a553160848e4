# SPDX-License-Identifier: Apache-2.0
"""The long run: `python -m test.fuzz.run --cases 100000`. Each target has a process of its own with a bound on memory.

By default Hypothesis draws recipes of edits (see `mutate`). With `--engine atheris` (PyPI: atheris) libFuzzer draws the
bytes themselves, led by the coverage of this package. A case that fails is kept in `--keep`, to be given to
`--replay` and made into a regression test.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from test.fuzz.target import in_memory, largest_mb, within

MEMORY_MB = 8192
"""Address space of a target's process; the libraries' own, mostly untouched, is about half."""
CASE_S = 20
BATCH, CASES_A_ROUND = 20, 20_000
"""Cases of one Hypothesis run; the next begins with another seed, whose memory of the last is then free."""


@dataclass
class Result:
    """What came of a target.

    Attributes:
        cases, accepted: tried, and parsed without complaint.
        seconds, slowest_s: all, and the longest case.
        growth_mb: how much the process's largest memory grew over the cases.
        found: errors that are not ours: type, place and the file with the case.
    """

    target: str
    engine: str
    cases: int = 0
    accepted: int = 0
    seconds: float = 0.0
    slowest_s: float = 0.0
    growth_mb: float = 0.0
    found: dict[str, str] = field(default_factory=dict)

    @property
    def row(self) -> str:
        """For a Markdown table."""
        found = "; ".join(self.found) or "nothing"
        return (
            f"| {self.target} | {self.cases} | {self.accepted} | {self.seconds:.0f} | {1e3 * self.slowest_s:.0f} | "
            f"{self.growth_mb:.0f} | {found} |"
        )


class Watch:
    """Runs cases, and keeps account of them.

    Args:
        name: of the target.
        keep: folder for cases that fail.
        seconds: no case is begun after them.
    """

    def __init__(self, name: str, engine: str, keep: Path, seconds: float) -> None:
        from test.fuzz.targets import TARGETS

        self.target = TARGETS[name]
        self.result = Result(name, engine)
        self._keep, self._begun = keep, time.monotonic()
        self._ends = self._begun + seconds
        self._current = _case_of(os.getpid())
        self.target.attempt(self.target.seeds[0])
        self._mb = largest_mb()

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self._ends

    def case(self, content: bytes) -> None:
        """Try one; what is found is noted, and the run goes on."""
        self._current.write_bytes(content)  # a crash of the process leaves it
        begun = time.monotonic()
        try:
            with within(CASE_S):
                self.result.accepted += self.target.attempt(content)
        except Exception as error:
            self._note(error, content)
        self.result.slowest_s = max(self.result.slowest_s, time.monotonic() - begun)
        self.result.cases += 1
        if self.result.cases % 500 == 0:
            self.save()

    def save(self) -> None:
        """Write the account, which outlives a crash."""
        self.result.seconds = time.monotonic() - self._begun
        self.result.growth_mb = largest_mb() - self._mb
        (self._keep / f"{self.result.target}.json").write_text(json.dumps(asdict(self.result)))

    def _note(self, error: Exception, content: bytes) -> None:
        places = []
        trace = error.__traceback__
        while trace is not None:
            places.append(f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}")
            trace = trace.tb_next
        name = f"{type(error).__name__} at {places[-1]}"
        if name not in self.result.found:
            path = self._keep / f"{self.result.target}-{len(self.result.found)}.bin"
            path.write_bytes(content)
            self.result.found[name] = str(path)
            print(f"{self.result.target}: {name}: {str(error)[:200]} ({path})", flush=True)


def with_hypothesis(watch: Watch, cases: int) -> None:
    """Recipes, drawn by Hypothesis."""
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from hypothesis import strategies as st

    from test.fuzz.mutate import RECIPE_BYTES, batch

    start = 0
    while watch.result.cases < cases and not watch.over:

        @seed(start)
        @settings(
            max_examples=min(CASES_A_ROUND, cases - watch.result.cases) // BATCH + 1,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(st.binary(min_size=BATCH * RECIPE_BYTES, max_size=BATCH * RECIPE_BYTES))
        def draw(recipes: bytes) -> None:
            for content in batch(recipes, watch.target):
                if watch.result.cases < cases and not watch.over:
                    watch.case(content)

        before = watch.result.cases
        draw()
        start += 1
        if watch.result.cases == before:
            return
    watch.save()


def with_atheris(watch: Watch, cases: int) -> None:
    """The bytes themselves, drawn by libFuzzer, which starts with the valid inputs; does not return."""
    import atheris

    corpus = Path(tempfile.mkdtemp(prefix="depthpro_corpus_"))
    for number, content in enumerate(watch.target.seeds):
        (corpus / str(number)).write_bytes(content)

    def case(content: bytes) -> None:
        watch.case(watch.target.repair(content))
        if watch.over or watch.result.cases >= cases:
            watch.save()
            os._exit(0)

    size = 2 * max(map(len, watch.target.seeds)) + 256
    options = [f"-runs={cases}", f"-max_len={size}", "-rss_limit_mb=0", "-print_final_stats=0", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *options, f"-timeout={CASE_S}", str(corpus)], case)
    atheris.Fuzz()


def _child(name: str, engine: str, cases: int, seconds: float, keep: Path, quiet: bool) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MB << 20, MEMORY_MB << 20))
    if quiet:  # libraries' complaints about damaged images
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    if engine == "atheris":
        import atheris

        with atheris.instrument_imports(include=["depthpro_ros"]):
            import test.fuzz.targets  # noqa: F401
    run: Callable[[Watch, int], None] = with_atheris if engine == "atheris" else with_hypothesis
    run(Watch(name, engine, keep, seconds), cases)


def _case_of(pid: int) -> Path:
    """Where a process writes the case that it is about to try."""
    return in_memory() / f"depthpro_fuzz_{pid}.case"


def run_target(name: str, args: argparse.Namespace) -> Result:
    """One target in a process of its own; a crash of the process is what was found."""
    process = multiprocessing.get_context("spawn").Process(
        target=_child, args=(name, args.engine, args.cases, args.seconds, args.keep, not args.verbose)
    )
    account = args.keep / f"{name}.json"
    account.unlink(missing_ok=True)
    process.start()
    process.join(args.seconds + 300)
    result = Result(name, args.engine)
    if account.exists():
        result = Result(**json.loads(account.read_text()))
    last = _case_of(process.pid or 0)
    if process.is_alive() or process.exitcode:
        what = "hangs" if process.is_alive() else f"process ends with {process.exitcode}"
        process.kill()
        process.join()
        kept = args.keep / f"{name}.current"
        if last.exists():
            shutil.copy(last, kept)
        result.found[what] = str(kept)
    last.unlink(missing_ok=True)
    return result


def arguments() -> Any:
    """The command line."""
    from test.fuzz.targets import TARGETS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", action="append", choices=sorted(TARGETS), help="one of them; all if left out")
    parser.add_argument("--cases", type=int, default=100_000, help="of each target")
    parser.add_argument("--seconds", type=float, default=86_400.0, help="at most, for each target")
    parser.add_argument("--engine", choices=("hypothesis", "atheris"), default="hypothesis")
    parser.add_argument("--keep", type=Path, default=Path("out/fuzz"), help="folder for cases that fail")
    parser.add_argument("--replay", type=Path, help="parse this file with --target, and show the traceback")
    parser.add_argument("--verbose", action="store_true", help="show what the libraries print")
    return parser.parse_args()


def main() -> int:
    """Run; 1 if anything was found."""
    from test.fuzz.targets import TARGETS

    args = arguments()
    names = args.target or list(TARGETS)
    if args.replay:
        print("accepted" if TARGETS[names[0]].attempt(args.replay.read_bytes()) else "refused")
        return 0
    args.keep.mkdir(parents=True, exist_ok=True)
    print("| target | cases | accepted | seconds | slowest case, ms | memory grown, MB | found |")
    print("|---|---:|---:|---:|---:|---:|---|", flush=True)
    results = []
    for name in names:
        results.append(run_target(name, args))
        print(results[-1].row, flush=True)
    return 1 if any(result.found for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
