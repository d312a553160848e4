# SPDX-License-Identifier: Apache-2.0
"""What MkDocs does not do by itself: pages and links outside docs/.

- Markdown files of the repository's root that the navigation names (`../CHANGELOG.md`) become pages.
- A link to another file of the repository (`../config/depth.yaml`) leads to a copy of it in the site, so that links
  work in a checkout and in the site, wherever that is served.
- `Integration: integration/` in the navigation stands for all pages of that folder.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"(?<=\]\()(?P<target>\.\./[^)\s#]+|[A-Za-z_]+(?:/[\w.-]+)*)(?P<anchor>#[^)\s]*)?(?=\))")
"""The target of an inline link that is a relative path."""
COPIES = "repository"
"""Where copies of files lie in the site."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill in the navigation's folders."""
    config.nav = _filled(config.nav, Path(config.docs_dir))
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the root's Markdown files that the navigation names."""
    for name in _names(config.nav):
        if name not in files.src_uris and (ROOT / name).is_file():
            files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links to the repository's other files into links to their copies."""
    source = Path(page.file.abs_src_path or "").resolve()

    def replace(match: re.Match[str]) -> str:
        target = (source.parent / match["target"]).resolve()
        anchor = match["anchor"] or ""
        if not target.is_relative_to(ROOT):
            return match[0]
        uri = _uri(target, config, files)
        here = posixpath.dirname(page.file.src_uri)
        return match[0] if uri is None else posixpath.relpath(uri, here or ".") + anchor

    return LINK.sub(replace, markdown)


def _uri(target: Path, config: MkDocsConfig, files: Files) -> str | None:
    """Where a file of the repository lies in the site; None where there is no such file."""
    docs = Path(config.docs_dir).resolve()
    if target.is_relative_to(docs):
        uri = target.relative_to(docs).as_posix()
        return uri if uri in files.src_uris else None
    relative = target.relative_to(ROOT).as_posix()
    if relative == "README.md":
        return "index.md"
    if relative in files.src_uris:
        return relative
    if not target.is_file():
        return None
    uri = f"{COPIES}/{relative}"
    if target.suffix == ".md":
        uri += ".txt"  # or it would be a page that the navigation does not name
    if uri not in files.src_uris:
        files.append(File.generated(config, uri, abs_src_path=str(target)))
    return uri


def _filled(items: Any, docs: Path) -> Any:
    """A navigation with folders filled in, and pages of the repository's root named as they are added."""
    filled: list[Any] = []
    for item in items:
        title, value = next(iter(item.items())) if isinstance(item, dict) else (None, item)
        if isinstance(value, list):
            value = _filled(value, docs)
        elif value.endswith("/"):
            value = [page.relative_to(docs).as_posix() for page in sorted((docs / value).glob("*.md"))]
            value.sort(key=lambda name: not name.endswith("index.md"))
        else:
            path = (docs / value).resolve()
            value = value if path.is_relative_to(docs.resolve()) else path.relative_to(ROOT).as_posix()
        filled.append(value if title is None else {title: value})
    return filled


def _names(items: Any) -> list[str]:
    """Every page that a navigation names."""
    names: list[str] = []
    for item in items:
        value = next(iter(item.values())) if isinstance(item, dict) else item
        names += _names(value) if isinstance(value, list) else [value]
    return names
