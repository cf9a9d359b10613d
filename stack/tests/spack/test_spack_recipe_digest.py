"""The digest of a recipe moves with what is installed, and with nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from fiducial.stack.errors import InputError
from fiducial.stack.spack.recipe_digest import (
    build_systems,
    folder_digest,
    recipe_digest,
    recipe_versions,
)

RECIPE = '''\
from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyToy(PythonPackage):
    """A toy."""

    pypi = "toy/toy-0.1.0.tar.gz"

    version("0.2.0")
    version("0.1.0", sha256="aa", preferred=True)

    variant("dask", default=False, description="Dask")

    with default_args(type="run"):
        depends_on("py-numpy@2.0:")
        depends_on("py-dask", when="+dask")
        depends_on("py-old", when="@=0.1.0")
        depends_on("py-new", when="@0.2.0:0.3.0")

    @when("@=0.1.0")
    def test_smoke(self):
        """use it"""
        self.run("old")

    @when("@=0.2.0")
    def test_smoke(self):
        self.run("new")
'''


def digest(tmp_path: Path, text: str, version: str = "0.1.0") -> str:
    path = tmp_path / "package.py"
    path.write_text(text)
    return recipe_digest(path, version)


SAME = {
    "a comment": ("class PyToy", "# nice\nclass PyToy"),
    "another docstring": ('"""A toy."""', '"""A finer toy."""'),
    "the docstring of a method": ('"""use it"""', '"""use it well"""'),
    "a new version": ('    version("0.2.0")\n', '    version("0.3.0")\n    version("0.2.0")\n'),
    "another preference": (", preferred=True", ""),
    "the order of directives": (
        '        depends_on("py-numpy@2.0:")\n        depends_on("py-dask", when="+dask")\n',
        '        depends_on("py-dask", when="+dask")\n        depends_on("py-numpy@2.0:")\n',
    ),
    "layout": ('depends_on("py-dask", when="+dask")', 'depends_on(\n"py-dask",\nwhen="+dask",\n)'),
    "a condition that became necessary": (
        'depends_on("py-numpy@2.0:")',
        'depends_on("py-numpy@2.0:", when="@:0.1")\n        depends_on("py-x", when="@0.2:")',
    ),
    "a dependency of a later version": ('"py-new"', '"py-newer"'),
    "a method of a later version": ('self.run("new")', 'self.run("newer")'),
}
MOVED = {
    "the checksum": ('sha256="aa"', 'sha256="ab"'),
    "a range": ("@2.0:", "@2.1:"),
    "the kind of a dependency": ('type="run"', 'type="build"'),
    "a condition on a variant": ('when="+dask"', 'when="~dask"'),
    "a dependency of this version": ('"py-old"', '"py-older"'),
    "a condition that came to this version": ('when="@0.2.0:0.3.0"', 'when="@0.1:"'),
    "a method of this version": ('self.run("old")', 'self.run("older")'),
    "an attribute": ("toy-0.1.0.tar.gz", "toy-0.1.0.zip"),
    "the base class": ("(PythonPackage)", "(Package)"),
    "an import": ("from spack.package import *", "from spack.package import *\nimport os"),
}  # fmt: skip


@pytest.mark.parametrize("edit", SAME.values(), ids=SAME.keys())
def test_the_digest_stays(tmp_path: Path, edit: tuple[str, str]) -> None:
    assert edit[0] in RECIPE
    assert digest(tmp_path, RECIPE.replace(*edit)) == digest(tmp_path, RECIPE)


@pytest.mark.parametrize("edit", MOVED.values(), ids=MOVED.keys())
def test_the_digest_moves(tmp_path: Path, edit: tuple[str, str]) -> None:
    assert edit[0] in RECIPE
    assert digest(tmp_path, RECIPE.replace(*edit)) != digest(tmp_path, RECIPE)


def test_each_version_has_a_digest_of_its_own(tmp_path: Path) -> None:
    assert digest(tmp_path, RECIPE, "0.1.0") != digest(tmp_path, RECIPE, "0.2.0")


def test_versions_are_read_with_their_checksums(tmp_path: Path) -> None:
    digest(tmp_path, RECIPE)
    assert recipe_versions(tmp_path / "package.py") == {"0.2.0": None, "0.1.0": "aa"}


def test_an_unreadable_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"package\.py is not readable"):
        digest(tmp_path, "class PyToy(:\n")


def test_every_file_of_a_folder_counts_but_caches(tmp_path: Path) -> None:
    (tmp_path / "package.py").write_text("1")
    before = folder_digest(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "package.pyc").write_text("x")
    assert folder_digest(tmp_path) == before
    (tmp_path / "fix.patch").write_text("+1")
    patched = folder_digest(tmp_path)
    (tmp_path / "fix.patch").rename(tmp_path / "mend.patch")
    assert len({before, patched, folder_digest(tmp_path)}) == 3


def test_build_systems_are_followed_to_those_that_they_inherit(tmp_path: Path) -> None:
    folder = tmp_path / "build_systems"
    folder.mkdir()
    (folder / "python.py").write_text("from .wheel import Wheel\n")
    (folder / "wheel.py").write_text("from spack_repo.builtin.build_systems import generic\n")
    (folder / "generic.py").write_text("")
    (folder / "cmake.py").write_text("")
    recipe = tmp_path / "package.py"
    recipe.write_text("from spack_repo.builtin.build_systems.python import PythonPackage\n")
    assert build_systems([recipe], tmp_path).keys() == {"generic", "python", "wheel"}
    recipe.write_text("import os\n")
    assert build_systems([recipe], tmp_path) == {}
