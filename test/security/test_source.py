# SPDX-License-Identifier: Apache-2.0
"""Nothing in the package unpickles, evaluates text, starts a shell or opens a connection by itself."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "depthpro_ros"
UNPICKLERS = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "jsonpickle"}
CONNECTORS = {
    "socket", "ssl", "http", "urllib", "urllib3", "requests", "httpx", "aiohttp", "ftplib", "smtplib", "xmlrpc",
    "socketserver", "webbrowser", "telnetlib", "huggingface_hub", "websockets",
}  # fmt: skip
MAY_CONNECT = {"models/fetch.py": {"huggingface_hub"}}
"""`depthpro weights` downloads what its user agreed to, and nothing else does."""
EVALUATORS = {"eval", "exec", "compile", "__import__"}
SHELLS = {"system", "popen", "execv", "execl", "execvp", "spawnl", "spawnv", "getoutput", "getstatusoutput"}


@cache
def modules() -> dict[str, ast.Module]:
    """By path; not parsed by whoever only collects the tests."""
    return {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text()) for path in PACKAGE.rglob("*.py")}


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def calls(tree: ast.Module) -> Iterator[tuple[str, str, ast.Call]]:
    """What a function is of ("" for a bare name), its name, and the call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield "", node.func.id, node
            elif isinstance(node.func, ast.Attribute):
                yield ast.unparse(node.func.value), node.func.attr, node


def keyword(call: ast.Call, name: str) -> object:
    """The constant given for an argument; None if it is not given."""
    for given in call.keywords:
        if given.arg == name:
            return given.value.value if isinstance(given.value, ast.Constant) else given.value
    return None


def test_there_are_modules_to_look_at() -> None:
    assert len(modules()) > 200 and "node/lifecycle.py" in modules()


def test_no_module_imports_what_unpickles() -> None:
    found = {path: {name.split(".")[0] for name in imported(tree)} & UNPICKLERS for path, tree in modules().items()}
    assert {path: names for path, names in found.items() if names} == {}


def test_only_the_command_that_fetches_weights_imports_what_connects() -> None:
    found = {path: {name.split(".")[0] for name in imported(tree)} & CONNECTORS for path, tree in modules().items()}
    assert {path: names for path, names in found.items() if names} == MAY_CONNECT


def violations(is_wrong: Callable[[str, str, ast.Call], bool]) -> list[str]:
    """Calls that are wrong: the module, and the source."""
    return [
        f"{path}: {ast.unparse(call)}"
        for path, tree in modules().items()
        for owner, name, call in calls(tree)
        if is_wrong(owner, name, call)
    ]


def test_no_call_runs_text() -> None:
    def runs_text(owner: str, name: str, call: ast.Call) -> bool:
        if owner in ("os", "subprocess") and (name in SHELLS or keyword(call, "shell") not in (None, False)):
            return True
        return not owner and name in EVALUATORS

    assert violations(runs_text) == []


def test_files_are_read_as_plain_data() -> None:
    def makes_objects(owner: str, name: str, call: ast.Call) -> bool:
        if (owner, name) == ("torch", "load"):
            return keyword(call, "weights_only") is not True
        if owner in ("np", "numpy") and name == "load":
            return keyword(call, "allow_pickle") not in (None, False)
        if owner == "yaml":
            return name not in ("SafeLoader", "safe_load", "safe_dump", "dump")
        return name in ("unsafe_load", "full_load", "read_pickle", "to_pickle")

    assert violations(makes_objects) == []


def test_images_are_decoded_only_where_their_size_is_checked_first() -> None:
    def decodes(owner: str, name: str, call: ast.Call) -> bool:
        return (owner, name) in {("cv2", "imdecode"), ("cv2", "imread"), ("Image", "open")}

    assert {text.partition(":")[0] for text in violations(decodes)} == {"encoded_images.py", "photo.py"}


def test_the_tests_above_see_what_they_look_for() -> None:
    tree = ast.parse("import a.b\nfrom pickle import loads\neval('1')\nsubprocess.run('x', shell=True)")
    assert set(imported(tree)) == {"a.b", "pickle"}
    assert [(owner, name) for owner, name, _ in calls(tree)] == [("", "eval"), ("subprocess", "run")]
    assert [keyword(call, "shell") for _, _, call in calls(tree)] == [None, True]
