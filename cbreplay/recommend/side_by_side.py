"""The settings of a recommendation side by side, and what their columns mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.recommend.other_rules import PRECHELT_LABELS
from cbreplay.words import decimals_for, spoken_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.recommend.answer import Recommendation, Scored

__all__ = [
    "difference_decimals",
    "setting_label",
    "settings_legend",
    "settings_rows",
    "spoken_share",
]

_MOST_CODE = 60
# what was chosen, and so has a score on what was left out
_CHOSEN = ("recommended", "tolerance", "cheapest", "min_delta", *PRECHELT_LABELS)


def settings_rows(advice: Recommendation) -> list[list[str]]:
    """Return the titles and a row for each setting; none where none was scored."""
    if not advice.settings:
        return []
    side = "above best" if advice.objective_mode == "min" else "below best"
    titles = [
        "patience",
        f"{advice.unit}s",
        side,
        "worst",
        "trained",
        "score",
        "left out",
    ]
    regrets = [one.mean_regret for one in advice.settings]
    decimals = difference_decimals(regrets)
    lines = [titles]
    recommended = advice.setting("recommended")
    for one in advice.settings:
        repeats = recommended is not None and one.setting == recommended.setting
        if repeats and one.label in ("5", "10"):
            continue
        known = one.n_groups > 0
        lines.append(
            [
                setting_label(one),
                f"{one.n_groups} of {len(advice.groups)}",
                spoken_number(one.mean_regret, decimals),
                spoken_number(one.worst_regret, decimals),
                spoken_share(one.cost) if known and one.cost is not None else "-",
                "-" if one.score is None else f"{one.score:.4f}",
                ""
                if one.label not in _CHOSEN
                else spoken_number(one.left_out_regret, decimals),
            ]
        )
    return lines


def difference_decimals(values: Sequence[float | None]) -> int:
    """Return how many decimals show two digits: these are differences."""
    return max(decimals_for(values) - 2, 0)


def setting_label(scored: Scored) -> str:
    """Name a setting in a few words."""
    values = dict(part.split("=") for part in scored.setting.split(", ") if "=" in part)
    patience = values.get("patience", "")
    if scored.label == "current":
        lone = scored.setting.count("(") == 1 and len(scored.setting) < _MOST_CODE
        inner = scored.setting.partition("(")[2].removesuffix(")")
        given = dict(part.split("=") for part in inner.split(", ") if "=" in part)
        known = lone and set(given) <= {"patience", "restore_best_weights"}
        return f"now: {given.get('patience', '0')}" if known else "now"
    # the promise allows it on one group in ten
    kept = "for the tolerance" if scored.breaks_tolerance else "keeps the tolerance"
    named = {
        "recommended": f"recommended: {patience}",
        "tolerance": f"{kept}: {patience}",
        "cheapest": f"cheapest: {patience}",
        "default": "Keras's default: 0",
        "none": "no EarlyStopping",
        "hindsight": "best epoch in hindsight",
        "min_delta": f"{patience}, min_delta {values.get('min_delta', '')}",
    }
    if scored.label == "start":
        return f"{patience} from epoch {int(values['start_from_epoch']) + 1}"
    if scored.label in PRECHELT_LABELS:
        # its monitor and mode are those of the others
        return f"{scored.setting.removesuffix(')').partition(',')[0]})"
    return named.get(scored.label, patience)


def settings_legend(advice: Recommendation) -> Iterator[str]:
    """Yield what the columns mean, and what does not fit into them."""
    if not advice.settings:
        return
    side = "above best" if advice.objective_mode == "min" else "below best"
    noun = advice.unit
    yield (
        f"{side}: {advice.objective} lost against the best on record, the mean of the "
        f"{noun}s whose logs tell; left out: of {noun}s that had no part in the choice"
    )
    yield (
        "score: the share lost + "
        f"{advice.cost_weight:g} x the share of the epochs trained (--cost-weight); "
        "cheapest is by score"
    )
    recommended = advice.setting("recommended")
    if recommended is not None and recommended.worst_run is not None:
        yield f"worst: of one run; for the recommended {recommended.worst_run}"
    current, start = advice.setting("current"), advice.setting("start")
    if current is not None:
        yield f"now: {current.setting}"
    if start is not None:
        yield (
            f"{setting_label(start)}: EarlyStopping({start.setting}), the best of some "
            "later starts with a patience by the same rule; no promise goes with it"
        )
    if any(one.label in PRECHELT_LABELS for one in advice.settings):
        yield (
            "Prechelt's rules: of the values that he tried, the one of the least "
            "score; no promise goes with it"
        )
    yield from _left_out(advice)


def _left_out(advice: Recommendation) -> Iterator[str]:
    """Say how the choice does on what was left out of it, if there was a choice."""
    left_out = advice.left_out
    if left_out is None or left_out.mean_regret is None or advice.patience is None:
        return
    tuned, usual = advice.setting("tolerance"), advice.setting("10")
    chosen = f"patience={advice.patience}"
    if tuned is None or tuned.setting != chosen or usual is None:
        return
    if usual.setting == chosen:
        return
    decimals = difference_decimals([left_out.mean_regret, left_out.usual_regret])
    sentence = (
        f"chosen without a {advice.unit}, it costs that one "
        f"{spoken_number(left_out.mean_regret, decimals)} on average"
    )
    if left_out.interval is not None:
        low, high = (spoken_number(one, decimals) for one in left_out.interval)
        sentence += f" (90 % interval {low} to {high})"
    if left_out.optimism:
        more = "more" if left_out.optimism >= 0 else "less"
        apart = spoken_number(abs(left_out.optimism), decimals)
        sentence += f", {apart} {more} than with it"
    if left_out.usual_regret is not None:
        sentence += (
            f"; a fixed 10 costs {spoken_number(left_out.usual_regret, decimals)}"
        )
    yield sentence


def spoken_share(share: float) -> str:
    """Write a share in whole percents, or two digits where it is small.

    >>> spoken_share(0.708), spoken_share(0.05), spoken_share(0.005), spoken_share(1.0)
    ('71 %', '5 %', '0.5 %', '100 %')
    """
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"  # noqa: PLR2004
