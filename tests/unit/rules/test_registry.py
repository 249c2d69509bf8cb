"""The registry: what a row promises is there, and families come and go."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from cbreplay import ConfigError, Run, replay_run
from cbreplay.rules.base import Callback
from cbreplay.rules.bystander import Bystander
from cbreplay.rules.checks import RuleChecks
from cbreplay.rules.families import (
    default_family,
    known_families,
    register_family,
    resolve_semantics,
    spoken_version,
    stands_by,
    unregister_family,
)
from cbreplay.rules.pasted_code import PastedCode
from cbreplay.rules.registry import (
    RuleRow,
    find_rule,
    import_named,
    is_rule,
    known_rules,
    nearest_row,
    row_of,
    rule_named,
)
from cbreplay.rules.words import RuleWords
from tests.made_up_family import ROWS, MadeUpFamily, made_up_family

EVERY = [*known_rules(), rule_named("Bystander"), rule_named("DrivenCallback")]


@pytest.mark.parametrize("row", EVERY, ids=lambda row: row.name)
def test_a_row_names_what_is_there(row: RuleRow) -> None:
    kind = row.load()
    assert row_of(kind) is row
    assert row.family in ("", *(family.name for family in known_families()))
    for place, wanted in (
        (row.words, RuleWords),
        (row.checks, RuleChecks),
        (row.code, PastedCode),
    ):
        assert not place or isinstance(import_named(place), wanted)
    assert not row.reader or callable(import_named(row.reader))


@pytest.mark.parametrize("row", EVERY, ids=lambda row: row.name)
def test_a_rule_answers_all_that_may_be_asked_of_one(row: RuleRow) -> None:
    assert issubclass(row.load(), Callback)


def test_a_class_of_the_same_name_is_another_rule() -> None:
    @dataclass(frozen=True)
    class EarlyStopping:
        patience: int = 0

    assert row_of(EarlyStopping) is None
    assert not is_rule(EarlyStopping())


def test_a_class_that_extends_a_rule_is_one_without_its_kernel() -> None:
    class Named(Bystander):
        pass

    nearest = nearest_row(Named)
    assert is_rule(Named("Printer"))
    assert row_of(Named) is None
    assert nearest is not None
    assert nearest.name == "Bystander"


def test_an_expression_writes_only_what_it_can() -> None:
    assert find_rule("DrivenCallback") is None
    assert find_rule("NoSuchRule") is None
    assert stands_by("CSVLogger")
    assert not stands_by("EarlyStopping")


def test_a_family_comes_and_goes() -> None:
    before = known_rules()
    with made_up_family() as family:
        assert [*known_families()][-1] is family
        assert find_rule("WeightedStop") in ROWS
        assert spoken_version("madeup-3") == "MadeUp 3"
        assert resolve_semantics("madeup-3").family is family
        assert default_family().name == "keras"
    assert known_rules() == before
    assert find_rule("WeightedStop") is None


def test_a_name_is_registered_once() -> None:
    with made_up_family(), pytest.raises(ConfigError, match="is registered already"):
        register_family(MadeUpFamily(), ())
    taken = RuleRow("EarlyStopping", __name__, "madeup")
    with pytest.raises(ConfigError, match="EarlyStopping is registered already"):
        register_family(MadeUpFamily(), [taken])


@dataclass(frozen=True, slots=True)
class Quiet(Callback):
    """A rule that says nothing about itself."""

    patience: int = 3


class QuietFamily(MadeUpFamily):
    name = "quiet"


def test_a_rule_that_says_nothing_only_looks_on() -> None:
    register_family(QuietFamily(), [RuleRow("Quiet", __name__, "quiet")])
    try:
        run = Run.from_logs([{"val_loss": 0.5}, {"val_loss": 0.4}])
        replay = replay_run(run, Quiet())
        assert (replay.stopped_epoch, replay.kept_epoch, replay.best) == (None, 1, None)
        assert Quiet(patience=4).code == "Quiet(patience=4)"
        with pytest.raises(ConfigError, match="Quiet monitors nothing"):
            Quiet().resolve_mode(None)  # type: ignore[arg-type]
    finally:
        unregister_family("quiet")
