"""The codes of all findings, each with a line on what it means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.errors import ConfigError
from cbreplay.wording.near_names import nearest_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["CODES", "choose_codes"]

CODES = {
    "absent-field": "A file's name holds a value that the training does not log.",
    "absent-monitor": "The monitor is a name that the training does not log.",
    "auto-mode-against-metric": "mode='auto' takes the worse values for better.",
    "auto-unknown": "mode='auto' may be a ValueError, or a guess, for this monitor.",
    "baseline-never-beaten": "No value of the record beats the baseline.",
    "best-of-earlier-fit": "The best of another model's fit is what has to be beaten.",
    "cooldown-of-one": "A cooldown of 1 acts as 0.",
    "factor-leaves-nothing": "The first reduction takes the rate to its floor.",
    "factor-of-one": "A factor of 1 changes nothing.",
    "floor-above-rate": "min_lr is not below the initial learning rate.",
    "fractional-patience": "A patience that is no whole number acts as the next one.",
    "identical-callbacks": "The same callback stands in the list twice.",
    "keeps-later-weights": "A stop keeps the last weights, not the best.",
    "min-delta-beyond-range": "min_delta is large for a metric between 0 and 1.",
    "min-delta-beyond-record": "min_delta is larger than the record's whole range.",
    "min-delta-beyond-steps": "min_delta leaves out most new bests of the record.",
    "mode-against-metric": "The mode takes the worse values for better.",
    "negative-min-delta": "A min_delta below 0.",
    "negative-patience": "A patience below 0 acts as 1.",
    "overwrites-after-resume": "A resumed fit saves over the best file, also if worse.",
    "overwrites-log": "A second fit logs over the log of the first.",
    "overwrites-one-file": "Every epoch is saved over the same file.",
    "patience-beyond-plan": "The patience is longer than the planned training.",
    "patience-in-validations": "With validation_freq, patience counts validations.",
    "patience-zero-is-one": "A patience of 0 acts as 1.",
    "rate-not-logged": "The logger stands before what writes the learning rate.",
    "ratio-of-no-error": "A ratio of errors cannot watch what should be large.",
    "reduce-after-stop": "Training always stops before the rate would be reduced.",
    "reduce-rarely-before-stop": "Training mostly stops before a reduction.",
    "refused-call": "The call is a TypeError: an argument is missing, or one too many.",
    "refused-filepath": "Keras raises ValueError for the ending of the file's name.",
    "refused-value": "Keras raises an error for a value, or takes another for it.",
    "restores-by-training-loss": "The weights of the least training loss are restored.",
    "schedule-beside-plateau": "The optimizer's schedule makes a reduction an error.",
    "schedule-beside-scheduler": "The optimizer's schedule makes a scheduler an error.",
    "schedule-undoes-reduction": "A table of rates sets the rate anew in every epoch.",
    "shares-a-file": "Two callbacks write the same file.",
    "starts-after-plan": "start_from_epoch is not inside the plan.",
    "starts-after-record": "start_from_epoch is beyond the last recorded epoch.",
    "stays-in-list": "Each later fit has the callbacks of the earlier fits too.",
    "steep-factor": "A short wait takes the rate to a tenth or less.",
    "stop-after-stop": "Another stopping rule always stops before.",
    "strip-in-validations": "With validation_freq, a strip counts validations.",
    "strip-of-one": "A strip of 1 stops at the first epoch that is not the best.",
    "strips-beyond-plan": "The strips are longer than the planned training.",
    "threshold-never-beaten": "No value beats the threshold: nothing is saved.",
    "unknown-parameter": "A name in the call is no parameter of the callback.",
}


def choose_codes(
    *, selected: Iterable[str] = (), ignored: Iterable[str] = ()
) -> Callable[[str], bool]:
    """Return a function that tells whether the findings of a code are wanted.

    They are if the code is selected, or none is, and if it is not ignored.

    Raises
    ------
    ConfigError
        If one is no code of a finding.
    """
    wanted, unwanted = set(selected), set(ignored)
    for code in sorted(wanted | unwanted):
        if code not in CODES:
            near = nearest_name(code, CODES)
            sentence = (
                f"there is no finding {code!r}{near}{'' if near else '.'} The codes "
                "stand in the answers of lint"
            )
            raise ConfigError(sentence)
    return lambda code: code not in unwanted and (not wanted or code in wanted)
