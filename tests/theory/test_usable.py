"""V-information against a planted reader's closed form, and states against the model they came from."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import expit, ndtri

from mspgt.errors import InputError, NumericsError
from mspgt.lm.observe import observe
from mspgt.lm.tokenize import batches, encode
from mspgt.signals.measure import measure_scales
from mspgt.synthetic.corpora import sample_corpus, sample_treebank
from mspgt.synthetic.stacks import Profiles, sample_stack
from mspgt.synthetic.triscale import TriScale
from mspgt.text.corpus import Corpus
from mspgt.text.documents import Document
from mspgt.theory.information import gaussian_information
from mspgt.theory.states import components, sample_states
from mspgt.theory.usable import Question, lexical, scarcity, syntactic, topical, usable_information


def bits_of_label(accuracy):
    """I(label; h) in bits where h = ± cos α + sin α · noise along one direction, by quadrature."""
    angle = np.arctan2(1.0, ndtri(accuracy))
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    x = np.cos(angle) + np.sin(angle) * nodes
    posterior = expit(2 * x * np.cos(angle) / np.sin(angle) ** 2)
    return 1 + float((weights * np.log2(posterior)).sum() / weights.sum())


def question(labels, documents=20, kind="topical"):
    document = np.arange(len(labels)) * documents // len(labels)
    return Question(kind, "planted", np.arange(len(labels))[:, None], labels, document, document % 2)


def test_information_of_a_planted_label_by_layer():
    accuracy = np.array([0.6, 0.7, 0.8, 0.9])
    stack = sample_stack(
        Profiles(np.full(3, 0.9), np.full(3, 0.01), accuracy), sentences=400, positions=20, width=8, seed=0
    )
    values = torch.from_numpy(stack.hidden.reshape(4, 8000, 8))
    found = usable_information(values, question(stack.labels.ravel()), examples=8000, hidden=16)
    assert found.entropy == pytest.approx(1.0, abs=0.01)
    assert np.allclose(found.bits(), [bits_of_label(a) for a in accuracy], atol=0.03)


def test_noise_holds_nothing_and_a_copy_holds_everything():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 4000)
    values = np.stack([rng.standard_normal((4000, 4)), np.eye(4)[labels]])
    found = usable_information(torch.from_numpy(values), question(labels), hidden=16)
    assert abs(found.bits()[0]) < 0.01  # a reader may ignore what says nothing
    assert found.bits()[1] == pytest.approx(found.entropy, abs=0.1)


def test_layers_do_not_depend_on_groups_or_company():
    rng = np.random.default_rng(0)
    values = torch.from_numpy(rng.standard_normal((3, 600, 5)))
    asked = question(rng.integers(0, 3, 600))
    whole = usable_information(values, asked, hidden=8)
    parts = usable_information(values, asked, hidden=8, memory=1)
    assert np.allclose(whole.saved, parts.saved, atol=1e-3)
    assert np.array_equal(whole.counts, parts.counts)


def test_weights_of_documents():
    rng = np.random.default_rng(0)
    found = usable_information(
        torch.from_numpy(rng.standard_normal((2, 600, 5))), question(rng.integers(0, 3, 600)), hidden=8
    )
    only = np.zeros(len(found.counts))
    only[3] = 1
    assert np.allclose(found.bits(only)[0], found.saved[3] / found.counts[3])
    assert np.allclose(found.bits(np.ones(len(only)))[0], found.bits())


def test_documents_keep_their_numbers_where_some_have_no_example():
    rng = np.random.default_rng(0)
    asked = question(rng.integers(0, 3, 600))
    asked = replace(asked, document=np.where(asked.document == 4, 5, asked.document) + 2)
    found = usable_information(torch.from_numpy(rng.standard_normal((2, 600, 5))), asked, hidden=8)
    assert found.documents.tolist() == [n for n in range(2, 22) if n != 6]
    assert found.counts.sum() == 600


def test_one_class_and_too_little_text_are_refused():
    values = torch.zeros((1, 600, 2))
    with pytest.raises(InputError, match="at least two classes"):
        usable_information(values, question(np.zeros(600, dtype=int)))
    with pytest.raises(InputError, match="examples in each half"):
        usable_information(values, question(np.arange(60) % 2))
    with pytest.raises(NumericsError, match="NaN"):
        usable_information(values * torch.nan, question(np.arange(600) % 2))


def topics_of_documents(per, tokens=20, titles=4):
    """Documents of `per` a title in each half: a direction of the title, one of the document, and noise."""
    rng = np.random.default_rng(per)
    title = np.arange(2 * per * titles) % titles
    centre = rng.standard_normal((titles, 64))[title] / 4 + rng.standard_normal((len(title), 64)) / 2
    values = np.repeat(centre, tokens, 0) + rng.standard_normal((len(title) * tokens, 64)) / 2
    document = np.repeat(np.arange(len(title)), tokens)
    half = document // titles % 2
    asked = Question("topical", "title", np.arange(len(document))[:, None], title[document], document, half)
    return usable_information(torch.from_numpy(values)[None], asked, examples=len(document))


def test_too_few_documents_of_a_topic_are_said_and_do_hide_it():
    few, many = topics_of_documents(2), topics_of_documents(16)
    assert few.bits()[0] < 0.1 < 1 < many.bits()[0] < many.entropy
    assert "2 documents of a class" in few.scarce
    assert "below 8" in few.scarce
    assert many.scarce == ""
    assert "16 examples of a class" in topics_of_documents(16, tokens=1).scarce


def test_other_labels_are_never_scarce():
    asked = question(np.arange(600) % 300, kind="lexical")
    assert scarcity(asked) == ""
    assert "0 examples" in scarcity(replace(asked, kind="topical"))


@pytest.fixture(scope="module")
def sampled(tiny_lm):
    lm = tiny_lm("llama", layers=3, max_position_embeddings=128)
    corpus = sample_corpus(TriScale(), 40, 0)
    encoded = encode(lm, [sentence for document in corpus.documents for sentence in document.sentences])
    scales = measure_scales(lm, encoded, sample=50, sink_ratio=10.0, batch_tokens=512)
    return lm, corpus, encoded, sample_states(lm, corpus, encoded, scales, tokens=600, batch_tokens=512)


def test_states_are_those_of_word_ends(sampled):
    lm, corpus, encoded, states = sampled
    texts = [sentence for document in corpus.documents for sentence in document.sentences]
    for at in (0, 100, len(states) - 1):
        place = states.sentence[at]
        hidden = observe(lm, next(batches([encoded[place]], max_tokens=500)), attention=False).hidden
        assert states.words[at] in texts[place].lower()
        rows = torch.stack(hidden)[:, 0]
        distance = (rows - states.values[:, at][:, None]).abs().amax((0, 2))
        token = int(distance.argmin())
        assert float(distance[token]) < 1e-4
        start, end = encoded[place].offsets[token]
        assert texts[place][start:end].strip().lower()[-1] == states.words[at][-1]
        assert states.following[at] == (*encoded[place].ids, -1)[token + 1]
    assert set(states.document) == set(range(40))
    assert (np.diff(states.sentence) >= 0).all()


def test_sinks_are_left_out_and_the_others_stay_in_place(sampled):
    lm, corpus, encoded, states = sampled
    scales = measure_scales(lm, encoded, sample=50, sink_ratio=10.0, batch_tokens=512)
    strict = sample_states(lm, corpus, encoded, scales, tokens=600, sink_ratio=1.05, batch_tokens=512)
    norms = torch.linalg.vector_norm(states.values, dim=-1).double()
    kept = np.flatnonzero((norms <= torch.as_tensor(1.05 * scales.median_norm)[:, None]).all(0))
    assert strict.sinks == len(states) + states.sinks - len(kept) > 0
    assert torch.allclose(strict.values, states.values[:, kept], atol=1e-5)
    assert strict.words == tuple(states.words[i] for i in kept)
    assert np.array_equal(strict.following, states.following[kept])
    assert np.array_equal(strict.document, states.document[kept])


def test_components_are_those_of_the_covariance(sampled):
    *_, states = sampled
    found = components(states, 5)
    x = states.values[2].double().numpy()
    expected = np.linalg.eigvalsh(np.cov(x.T))[::-1]
    assert np.allclose(found.variances[2], expected, atol=1e-8)
    assert np.allclose(np.cov(found.projected[2].T), np.diag(expected[:5]), atol=1e-8)
    assert found.explained[2] == pytest.approx(expected[:5].sum() / expected.sum())


def test_directions_without_variance_are_constant_and_information_refuses_them(sampled):
    *_, states = sampled
    flat = states.values.clone()
    flat[1, :, 3:] = 0
    found = components(replace(states, values=flat), 5)
    assert (found.projected[1, :, 3:] == 0).all()
    assert found.projected[1, :, :3].std(0).min() > 0
    with pytest.raises(NumericsError, match="2 of 10 columns are constant"):
        gaussian_information(found.projected[1], found.projected[2])


def test_more_components_than_dimensions_are_refused(sampled):
    *_, states = sampled
    with pytest.raises(InputError, match="width"):
        components(states, 33)


def test_titles_that_are_shared_are_topics_and_documents_otherwise(sampled):
    _, corpus, _, states = sampled
    found = topical(corpus, states)
    assert found.label == "title of the document"
    titles = [document.title for document in corpus.documents]
    assert all(
        len({titles[d] for d in states.document[found.labels == c]}) == 1 for c in range(found.classes)
    )
    # Held out are whole documents: no document lies in both halves.
    assert all(len(set(found.half[found.document == d])) == 1 for d in set(found.document))
    alone = Corpus("c", tuple(Document(d.id, d.id, d.sentences) for d in corpus.documents), "")
    found = topical(alone, states)
    assert found.label == "which document"
    assert found.classes == 32
    assert all(len(set(found.half[found.document == d])) == 2 for d in set(found.document))


def test_lexical_and_syntactic_questions(sampled):
    *_, states = sampled
    found = lexical(states)
    words = np.array(states.words)[found.rows[:, 0]]
    assert all(len(set(words[found.labels == c])) == 1 for c in range(found.classes))
    treebank = sample_treebank(TriScale(), 0, train=20, dev=20, test=60)
    found = syntactic(treebank, treebank.test)
    assert found.rows.shape[1] == 2
    assert abs(np.bincount(found.half).mean() - len(found.labels) / 2) < 1
    bare = replace(treebank, tasks=("ner",), off={"dep": "no trees"})
    with pytest.raises(InputError, match="neither"):
        syntactic(bare, treebank.test)
