# SPDX-License-Identifier: Apache-2.0
"""`depthpro evaluate dataset`: a published table with one's own row beside it, or one data set."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from depthpro_ros.cli.arguments import (
    add_decoding_arguments,
    add_model_arguments,
    add_speed_arguments,
    command_line,
    decoding_of,
    load_options,
)
from depthpro_ros.cli.evaluate.options import (
    CRITERIA_FAILED,
    DONE,
    INTERRUPTED,
    NOTHING,
    add_focal_arguments,
    add_result_arguments,
    add_scoring_arguments,
    add_selection_arguments,
    evaluated,
    output_of,
    scorer_of,
    selection_of,
)
from depthpro_ros.errors import InputError

if TYPE_CHECKING:
    from depthpro_ros.evaluation.run.protocol_settings import ProtocolSettings

SCORING = {"align": "--align", "min_depth": "--min-depth", "max_depth": "--max-depth", "crop": "--crop"}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "dataset",
        help="a published table with your own row beside it, or one data set",
        description="Evaluate on the public data sets of a published table, as it was made, and print the table with "
        "your own row and the range that may be expected; or on one data set. The data is yours: nothing is "
        "downloaded. Sets that are not there are left out and listed.",
    )
    parser.add_argument(
        "protocol", metavar="PROTOCOL", nargs="?", help="a protocol or a data set of --list, or a protocol's YAML file"
    )
    parser.add_argument(
        "root",
        metavar="ROOT",
        nargs="?",
        type=Path,
        help="holds a folder for each data set, named as --list says; of one data set, also that folder itself",
    )
    parser.add_argument("--list", action="store_true", help="show protocols with their sets, and data sets, and end")
    parser.add_argument("--tree", metavar="SET", help="show the folder that a data set must be in, and end")
    parser.add_argument(
        "--set", metavar="TITLE", action="append", default=[], help="only this set; may be given several times"
    )
    parser.add_argument(
        "--root",
        metavar="TITLE=PATH",
        dest="roots",
        action="append",
        default=[],
        help="where a set is, if not in ROOT; may be given several times",
    )
    parser.add_argument(
        "--option",
        metavar="[TITLE.]KEY=VALUE",
        action="append",
        default=[],
        help="an option of a data set, such as split=all, or nuScenes.scenes=val.txt of a protocol's set; may be given "
        "several times",
    )
    add_model_arguments(parser)
    add_speed_arguments(parser)
    add_decoding_arguments(parser)
    add_focal_arguments(parser)
    parser.add_argument(
        "--both-focals",
        action="store_true",
        help="a row with the camera's focal length and one with the network's own, where the source does not say which",
    )
    add_selection_arguments(parser, times=False)
    add_scoring_arguments(parser, protocol=True)
    add_result_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Evaluate; see `depthpro_ros.cli.evaluate` for exit codes."""
    from depthpro_ros.evaluation.datasets import DATASETS

    if args.list or args.tree is not None:
        from depthpro_ros.cli.evaluate.dataset_list import listing, tree

        print(listing() if args.list else tree(args.tree))
        return DONE
    if args.protocol is None or args.root is None:
        raise InputError("name a protocol or a data set, and the folder of the data; --list shows them")
    return _run_dataset(args) if args.protocol in DATASETS else _run_protocol(args)


def _run_dataset(args: argparse.Namespace) -> int:
    from depthpro_ros.evaluation.results.folder import ResultsFolder
    from depthpro_ros.evaluation.run.dataset_options import frames_identity, opened_dataset, parse_options
    from depthpro_ros.evaluation.run.dataset_source import DatasetSource
    from depthpro_ros.evaluation.run.describe import describe
    from depthpro_ros.evaluation.run.predictors import PipelinePredictor, model_info
    from depthpro_ros.evaluation.run.runner import evaluate
    from depthpro_ros.models import load_estimator

    if args.set or args.roots or args.both_focals:
        raise InputError(f"{args.protocol} is a data set: --set, --root and --both-focals are for protocols")
    name, scorer, selection = args.protocol, scorer_of(args), selection_of(args)
    options = parse_options(name, dict(_pair(text, "--option") for text in args.option))
    root = args.root / name if (args.root / name).is_dir() else args.root
    dataset = opened_dataset(name, root, options, blame_options=bool(options))
    source = DatasetSource(dataset, selection)
    estimator = load_estimator(args.model, **load_options(args))
    scorer = scorer.of_model(estimator.info.metric)
    info = describe(
        "dataset",
        name,
        command_line(),
        scorer,
        model=model_info(estimator, decoding_of(args)),
        focal=args.focal,
        frames=selection.label,
        extra=frames_identity(dataset, options, selection),
    )
    folder = ResultsFolder.create(output_of(args, name), info, force=args.force, resume=args.resume)
    # photographs: the focal length of one says nothing of the next one's
    predictor = PipelinePredictor(estimator, args.focal, estimate=args.estimate_focal, steady=False)
    return evaluated(args, folder, lambda: evaluate(source, predictor, scorer, folder))


def _run_protocol(args: argparse.Namespace) -> int:
    given = [option for name, option in SCORING.items() if getattr(args, name) is not None]
    if given:
        raise InputError(f"the protocol says what {', '.join(given)} would: leave it out")
    protocol_modules()
    from depthpro_ros.evaluation.protocol import read_protocol
    from depthpro_ros.evaluation.run.protocol_run import ProtocolRun
    from depthpro_ros.evaluation.run.protocol_sets import Wish, find_sets
    from depthpro_ros.evaluation.run.protocol_settings import focal_choices
    from depthpro_ros.models import load_estimator

    protocol, settings = read_protocol(args.protocol), _settings(args)
    name = Path(args.protocol).stem
    # before the weights are read
    focal_choices(protocol, settings)
    roots = {title: Path(path) for title, path in (_pair(text, "--root") for text in args.roots)}
    found, missing = find_sets(protocol, args.root, Wish(tuple(args.set), roots, _options_of_sets(args.option)))
    for each in missing:
        print(f"depthpro: warning: {each.column.title} is left out: {each.reason}", file=sys.stderr)
    output = output_of(args, name)
    estimator = load_estimator(args.model, **load_options(args))
    page = ProtocolRun(name, protocol, estimator, settings).run(
        found, missing, output, force=args.force, resume=args.resume
    )
    print(json.dumps(page.to_json(), indent=2) if args.json else page.as_text())
    for line in page.criteria_lines:
        print(line, file=sys.stderr)
    print(f"table: {output / 'table.md'}", file=sys.stderr)
    if page.interrupted:
        print("depthpro: interrupted; what was done is written, --resume goes on", file=sys.stderr)
        return INTERRUPTED
    if not page.evaluated:
        print("depthpro: error: no image was evaluated", file=sys.stderr)
        return NOTHING
    return CRITERIA_FAILED if page.failed else DONE


def protocol_modules() -> None:
    """Raise unless what protocols need is installed.

    Raises:
        InputError: it is not.
    """
    try:
        import pydantic  # noqa: F401
        import yaml  # noqa: F401
    except ImportError as error:
        raise InputError("protocols need PyYAML and pydantic: pip install 'depthpro_ros[evaluate]'") from error


def _settings(args: argparse.Namespace) -> ProtocolSettings:
    from depthpro_ros.evaluation.report import Criterion
    from depthpro_ros.evaluation.run.protocol_settings import ProtocolSettings

    return ProtocolSettings(
        focal=args.focal,
        both_focals=args.both_focals,
        estimate=args.estimate_focal,
        invalid=args.invalid_pred,
        metrics=args.metrics or (),
        selection=selection_of(args),
        criteria=tuple(dict.fromkeys(Criterion.parse(text) for text in args.fail_if)),
        command=command_line(),
        decoding=decoding_of(args),
    )


def _options_of_sets(texts: list[str]) -> dict[str, dict[str, str]]:
    """`TITLE.KEY=VALUE`, by title and key."""
    options: dict[str, dict[str, str]] = {}
    for text in texts:
        name, value = _pair(text, "--option")
        title, dot, key = name.rpartition(".")
        if not dot:
            raise InputError(f"--option {text}: say of which set, TITLE.{text}")
        options.setdefault(title, {})[key] = value
    return options


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise InputError(f"{option} {text}: expected a name, = and a value")
    return name, value
