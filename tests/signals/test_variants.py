"""S1 in other metrics and over other tokens against the tables of exactly those features and tokens."""

import numpy as np
import pytest
import torch

from mspgt.signals.compared import rms_normalised
from mspgt.signals.document_tables import document_spans, layer_tables
from mspgt.signals.variants import Variants

LAYERS, WIDTH, C = 4, 10, 9


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(0)
    documents = torch.from_numpy(np.sort(rng.integers(0, C, 120)))
    hidden = torch.from_numpy((rng.normal(size=(LAYERS, 120, WIDTH)) + 0.4).cumsum(0))
    hidden[2:, ::17, 4] += 40.0
    masks = {name: rng.random(120) < share for name, share in (("main", 0.8), ("wide", 0.9), ("few", 0.6))}
    gains = torch.from_numpy(rng.uniform(0.2, 3, size=(LAYERS, WIDTH)))
    gains[3] = torch.nan
    main = torch.from_numpy(masks["main"])

    def normalised(layer):
        x = rms_normalised(hidden[layer], subtract_mean=False)
        return x - x[main].mean(0)

    seen = Variants(
        lambda layer: hidden[layer],
        normalised,
        document_spans(documents, C),
        masks,
        gains,
        raw_sets=("wide",),
    )
    tables = layer_tables(seen.features, LAYERS, documents[main], C, across=True, see=seen.see)
    return hidden, documents, masks, gains, normalised, seen, tables


def direct(features, documents, mask):
    mask = torch.from_numpy(mask)
    return layer_tables(lambda layer: features(layer)[mask], LAYERS, documents[mask], C, across=True).cka()


def test_token_sets_equal_tables_of_those_tokens(case):
    _, documents, masks, _, normalised, seen, tables = case
    np.testing.assert_allclose(seen.cka("rms", "main", LAYERS), tables.cka(), rtol=1e-9)
    for name in ("wide", "few"):
        expected = direct(normalised, documents, masks[name])
        np.testing.assert_allclose(seen.cka("rms", name, LAYERS), expected, rtol=1e-9)
        assert np.abs(expected - tables.cka()).max() > 1e-3


def test_metrics_equal_tables_of_those_features(case):
    hidden, documents, masks, gains, normalised, seen, _ = case
    main = torch.from_numpy(masks["main"])

    def raw(layer):
        return hidden[layer] - hidden[layer][main].mean(0)

    def standardised(layer):
        return normalised(layer) / normalised(layer)[main].std(0, correction=0)

    for name in ("main", "wide"):
        expected = direct(raw, documents, masks[name])
        np.testing.assert_allclose(seen.cka("raw", name, LAYERS), expected, rtol=1e-9)
    expected = direct(standardised, documents, masks["main"])
    np.testing.assert_allclose(seen.cka("standardised", "main", LAYERS), expected, rtol=1e-9)
    expected = direct(lambda l: normalised(l) * gains[min(l, 2)], documents, masks["main"])
    found = seen.cka("as_read", "main", LAYERS)
    np.testing.assert_allclose(found[:2], expected[:2], rtol=1e-9)
    assert np.isnan(found[2])  # nothing but the block reads layer 3


def test_the_spread_of_variance_is_that_of_the_covariance(case):
    hidden, _, masks, _, _, seen, _ = case
    for layer in range(LAYERS):
        covariance = np.cov(hidden[layer][masks["main"]].numpy().T)
        values = np.linalg.eigvalsh(covariance)
        participation, largest = seen.spectrum["raw.main", layer]
        assert participation == pytest.approx(values.sum() ** 2 / (values**2).sum(), rel=1e-9)
        assert largest == pytest.approx(covariance.diagonal().max() / covariance.trace(), rel=1e-9)


def test_normalised_states_have_one_size_and_no_mean_where_asked():
    x = torch.tensor([[3.0, 4.0, 0.0], [0.0, 0.0, 0.0], [1e4, -1e4, 2e4]])
    rms = rms_normalised(x, subtract_mean=False)
    np.testing.assert_allclose(rms.square().mean(1), [1, 0, 1], rtol=1e-6)
    np.testing.assert_allclose(rms_normalised(x + 7, subtract_mean=True)[2].mean(), 0, atol=1e-6)
