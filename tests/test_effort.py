"""What the other tests count effort with tells one growth from another."""

from tests.effort import calls, linear


def test_calls_are_counted_and_do_not_vary() -> None:
    assert calls(lambda: [abs(n) for n in range(1000)]) - calls(lambda: [abs(n) for n in range(500)]) == 500


def test_quadratic_work_is_seen() -> None:
    assert linear(lambda size: sum(range(size * 10)), 100_000)
    assert not linear(lambda size: [sum(range(size)) for _ in range(size)], 4_000)
