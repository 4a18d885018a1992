from tests.lm.conftest import real_models, tiny_lm

__all__ = ["real_models", "tiny_lm"]
