"""The versions that a report was made with."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from searchkit._version import __version__

VERSIONED_PACKAGES = ("faiss-cpu", "numpy", "openvino", "scikit-learn", "tokenizers")


def versions() -> dict[str, str]:
    """Return the versions of searchkit, Python and the installed packages that affect results."""
    versions = {"searchkit": __version__, "python": platform.python_version()}
    for name in VERSIONED_PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
