"""Random hours, such as people may write them."""

from itertools import pairwise

from hypothesis import strategies as st

from bridge.policy.hours import Weekly, Window


@st.composite
def windows(draw: st.DrawFn) -> tuple[Window, ...]:
    """One to three windows on whole minutes, which may touch, or be the whole day."""
    edges = sorted(draw(st.sets(st.integers(0, 1440), min_size=2, max_size=6)))
    spans = list(pairwise(edges))
    chosen = spans if draw(st.booleans()) else spans[::2]
    return tuple((opens * 60, closes * 60) for opens, closes in chosen)


@st.composite
def weeks(draw: st.DrawFn) -> Weekly:
    """Weeks with at least one open day; few kinds of days, so that neighbours are often alike."""
    kinds = draw(st.lists(windows(), min_size=1, max_size=3))
    days = draw(st.sets(st.integers(0, 6), min_size=1))
    return {day: draw(st.sampled_from(kinds)) for day in sorted(days)}
