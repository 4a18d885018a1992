import json

import pytest

from mspgt.errors import InputError
from mspgt.text.corpus import load_corpus
from mspgt.text.hub import read_rows


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A data set as the hub serves them, read from disk by the real package, without network."""
    pytest.importorskip("datasets", reason="the hub extra is not installed")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    rows = [" = Title = \n", "\n", " One two three four five . Six seven eight nine ten . \n", "\n"]
    for split in ("validation", "test"):
        lines = [json.dumps({"text": row}) for row in rows]
        (tmp_path / f"{split}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


def test_rows_of_a_split(folder):
    assert [row["text"] for row in read_rows(str(folder))][2].startswith(" One two")
    assert len(read_rows(f"{folder}::test")) == 4
    with pytest.raises(InputError, match="cannot be loaded"):
        read_rows(f"{folder}::train")


def test_wikitext_rows_are_joined_into_articles(folder, monkeypatch):
    monkeypatch.setattr("mspgt.text.documents.read_rows", lambda _source: read_rows(str(folder)))
    (document,) = load_corpus("owner/name").documents
    assert document.title == "Title"
    assert document.sentences == ("One two three four five.", "Six seven eight nine ten.")
