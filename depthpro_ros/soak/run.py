# SPDX-License-Identifier: Apache-2.0
"""The soak itself: one process of the node for each transport, load until the time is up, and then the checks."""

from __future__ import annotations

import itertools
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

from depthpro_ros.errors import DepthProError
from depthpro_ros.node.node_process import NodeProcess
from depthpro_ros.soak.camera import USUAL
from depthpro_ros.soak.checks import (
    Check,
    all_accounted,
    none_refused_but_bad,
    nothing_odd,
    of_rests,
    only_explained,
    steady_memory,
)
from depthpro_ros.soak.load import ALWAYS, EXPLAINED, NODE_PARAMETERS, PHASES, REFUSING, REST, STEADY, fill, order
from depthpro_ros.soak.plan import INTERRUPTED, Leg, Plan
from depthpro_ros.soak.process import Observed
from depthpro_ros.soak.records import Counts, Rest, Sample
from depthpro_ros.soak.rest import like_phase, steady
from depthpro_ros.soak.rig import IMAGE_TOPIC, NoAnswer, Rig

ENDS_S = 2.0
"""Within this the node has to end when it is told to; on a busy machine so many times as long as that slows it down."""


def soak(plan: Plan, folder: Path, say: Callable[[str], None]) -> list[Leg]:
    """Run it; Ctrl-C ends it early, with what there is by then.

    Args:
        plan: what is to be done.
        folder: for the node's logs.
        say: gets a line for people now and then.
    """
    legs: list[Leg] = []
    started_s = time.monotonic()
    for transport in plan.transports:
        legs.append(Leg(transport))
        _Soaking(plan, legs[-1], folder / f"node_{transport}.log", started_s, say).run()
        if legs[-1].ended:
            break
    return legs


class _Soaking:
    """One process under load."""

    def __init__(self, plan: Plan, leg: Leg, log: Path, started_s: float, say: Callable[[str], None]) -> None:
        self._plan, self._leg, self._log, self._started_s, self._say = plan, leg, log, started_s, say
        self._choices = random.Random(f"{plan.seed} {leg.transport}")
        self._phase, self._sampled_s = "start", 0.0
        self._refused = self._refused_elsewhere = 0
        self._process: NodeProcess
        self._observed: Observed
        self._rig: Rig

    def run(self) -> None:
        """Start the process, load it, end it, and check."""
        from depthpro_ros.node.private_node import private_node

        parameters = NODE_PARAMETERS | self._plan.parameters
        parameters |= {"image_transport": self._leg.transport, "model": self._plan.model}
        final, took_s = Counts(), float("nan")
        try:
            with (
                private_node("depthpro_soak") as (node, executor),
                NodeProcess(self._log, IMAGE_TOPIC, parameters, self._plan.command, apart=True) as self._process,
            ):
                self._observed = Observed(self._process.pid)
                self._rig = Rig(node, executor, self._leg.transport, self._turn)
                try:
                    self._load()
                except KeyboardInterrupt:
                    self._leg.ended = INTERRUPTED
                final = self._rig.settle()
                took_s = self._end()
        except KeyboardInterrupt:  # a second one, or while it starts
            self._leg.ended = INTERRUPTED
        except DepthProError as error:  # the node died, or does not answer
            self._leg.ended = str(error)
        self._leg.checks = self._check(final, took_s)

    def _load(self) -> None:
        plan, transport = self._plan, self._leg.transport
        phase_s = plan.phase_seconds(transport)
        self._rig.listen(ALWAYS)
        self._rig.until(lambda: self._rig.said.get("state") == "active", "the node to be active")
        fill(self._rig)
        steady_s = plan.steady_seconds(transport)
        self._mix(time.monotonic() + plan.seconds_of(transport) - steady_s, phase_s)
        self._phase = STEADY
        steady(self._rig, steady_s)

    def _mix(self, end: float, phase_s: float) -> None:
        """One phase after the other, until that time."""
        plan, transport = self._plan, self._leg.transport
        rounds = range(plan.rounds) if plan.rounds else itertools.count()
        for _ in rounds:
            for name in order(self._choices):
                if not plan.rounds and time.monotonic() >= end:
                    return
                self._phase = name
                if name == REST:
                    rest = like_phase(self._rig, self._observed, self._started_s, transport, phase_s)
                    self._leg.rests.append(rest)
                    self._refused = self._rig.counts.refused
                    self._say(_line(rest))
                else:
                    self._one(name, phase_s)
                self._leg.phases += 1

    def _one(self, name: str, phase_s: float) -> None:
        """One phase that is not the like one; it leaves the node as it was."""
        PHASES[name](self._rig, self._choices, phase_s)
        self._rig.listen(ALWAYS)
        refused = self._rig.connect(USUAL).refused
        if name not in REFUSING:
            self._refused_elsewhere += refused - self._refused
        self._refused = refused

    def _turn(self) -> None:
        """Sample once a second, and notice if the process has died."""
        now = time.monotonic()
        if now < self._sampled_s + self._plan.sample_s:
            return
        self._sampled_s = now
        self._process.check()
        rig = self._rig
        self._leg.samples.append(
            Sample(
                time_s=now - self._started_s,
                transport=self._leg.transport,
                phase=self._phase,
                footprint=self._observed.footprint(),
                counts=rig.counts,
                sent=rig.camera.sent,
                latency_ms=float(rig.said.get("latency from arrival p50 (ms)", "nan")),
                load=os.getloadavg()[0],
            )
        )

    def _end(self) -> float:
        """Tell the process to end; how long it took, seconds of a machine that has time.

        Raises:
            NoAnswer: it ends with another status than 0.
        """
        took_s, status = self._process.end(signal.SIGTERM)
        if status != 0:
            raise NoAnswer(f"the node ended with status {status} when it was told to end")
        return took_s / slowness()

    def _check(self, final: Counts, took_s: float) -> list[Check]:
        leg = self._leg
        checks = of_rests(leg.rests)
        checks.insert(1, steady_memory([sample for sample in leg.samples if sample.phase == STEADY]))
        checks.append(all_accounted(leg.samples, final))
        log = self._log.read_text(errors="replace") if self._log.exists() else ""
        checks.append(only_explained(log, EXPLAINED))
        if hasattr(self, "_rig"):
            checks.append(none_refused_but_bad(final.refused, self._refused_elsewhere, self._rig.camera.bad))
            checks.append(nothing_odd("parameters and transitions", self._rig.complaints, self._rig.asked))
        checks.append(Check("end when told to", f"{took_s:.1f} s", f"{ENDS_S:g} s", took_s <= ENDS_S))
        why = leg.ended or "as long as it was to"
        checks.append(Check("the node served", why, "to the end", leg.ended in ("", INTERRUPTED)))
        return checks


def slowness() -> float:
    """How many times longer than on an idle machine things take now: a busy loop's time over its processor time."""
    begun, used = time.monotonic(), time.thread_time()
    while time.thread_time() - used < 0.05:
        pass
    return max(1.0, (time.monotonic() - begun) / 0.05)


def _line(rest: Rest) -> str:
    f = rest.footprint
    return (
        f"{rest.time_s:7.0f} s  {rest.transport:10}  {rest.clean_mib:7.1f} MiB  {f.threads:3} threads  "
        f"{f.files:3} files  {rest.latency_ms:7.1f} ms"
    )
