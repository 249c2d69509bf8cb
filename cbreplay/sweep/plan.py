"""What is swept: lists of callbacks as slots with parameters that vary along axes."""

from __future__ import annotations

import itertools
import math
import operator
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.arguments import is_iterable
from cbreplay.errors import ConfigError
from cbreplay.grid import Choices, Grid, PairedChoices, make_grid, pair_choices
from cbreplay.rules.callbacks_list import read_callbacks
from cbreplay.rules.registry import row_of
from cbreplay.series_names import LEARNING_RATE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from cbreplay.rules.base import Callback
    from cbreplay.rules.registry import Kernel
    from cbreplay.run import EpochArray

__all__ = [
    "Block",
    "Parameter",
    "Slot",
    "pair_configs",
    "plan_blocks",
    "read_configs",
    "read_slots",
]


class Parameter(NamedTuple):
    """One parameter of a slot.

    Parameters
    ----------
    values : sequence
        One value, or those along its axis.
    axis : int or None
        The axis of the block along which it varies.
    """

    values: Sequence[Any]
    axis: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """One place in the callbacks list.

    Parameters
    ----------
    kind : class, or function
        The class of the rule at this place, or a function that makes a callback of the
        user's own; None where lists are nested.
    parameters : dict of str to Parameter
        All its parameters.
    kernel : str or None
        What decides all its settings at once, by the registry; None: the replay does.
    """

    kind: Any
    parameters: dict[str, Parameter]
    kernel: Kernel | None = None
    _arrays: dict[str, NDArray[Any]] = field(default_factory=dict)

    def example(self, **chosen: Any) -> Callback:  # noqa: ANN401 - as the rule's
        """Return one of the rules of this place; `chosen` replaces some parameters."""
        first = {name: held.values[0] for name, held in self.parameters.items()}
        built: Callback = self.kind(**{**first, **chosen})
        return built

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return the values of a parameter as float64, NaN for None; made once."""
        if name not in self._arrays:
            values = self.parameters[name].values
            try:
                numbers = np.array(values, dtype=np.float64)
            except TypeError:
                listed = [math.nan if value is None else value for value in values]
                numbers = np.array(listed, dtype=np.float64)
            self._arrays[name] = numbers
        return self._arrays[name]

    def axes(self, *names: str) -> tuple[int, ...]:
        """Return the axes along which some parameters vary, in order."""
        found = {self.parameters[name].axis for name in names}
        return tuple(sorted(axis for axis in found if axis is not None))

    def along(self, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return a parameter with as many axes as its block has."""
        held = self.parameters[name]
        lengths = [1] * len(shape)
        if held.axis is not None:
            lengths[held.axis] = -1
        return np.array(held.values).reshape(lengths)

    def tried(self, name: str) -> list[Any]:
        """Return the values of a parameter, each once."""
        return list(dict.fromkeys(self.parameters[name].values))


class Block(NamedTuple):
    """Configs whose lists hold the same kinds of callbacks.

    Parameters
    ----------
    shape : tuple of int
        The values along each axis; C order gives the configs.
    slots : tuple of Slot
        The list.
    columns : array of int or None
        Which configs of the sweep these are; None for all of them, in order.
    """

    shape: tuple[int, ...]
    slots: tuple[Slot, ...]
    columns: EpochArray | None

    @property
    def n_configs(self) -> int:
        """The number of configs."""
        return math.prod(self.shape)

    @property
    def places(self) -> EpochArray:
        """The place of each config among all of the sweep, in the block's order."""
        return np.arange(self.n_configs) if self.columns is None else self.columns

    @property
    def vectorised(self) -> bool:
        """Whether there is a kernel for every rule of the list."""
        kernels = [slot.kernel for slot in self.slots]
        return kernels.count("reduces") <= 1 and all(map(_has_kernel, self.slots))

    @property
    def reduces(self) -> bool:
        """Whether a rule of the list may reduce the rate."""
        return not self.vectorised or any(
            slot.kernel == "reduces" for slot in self.slots
        )


def _has_kernel(slot: Slot) -> bool:
    """Return whether a kernel decides every setting of a slot."""
    if slot.kernel is None:
        return False
    monitors = slot.parameters.get("monitor")
    if monitors is not None and not set(LEARNING_RATE_NAMES).isdisjoint(
        monitors.values
    ):
        return False
    if slot.kernel == "breaks":
        return not any(slot.parameters["raise_error"].values)
    if slot.kernel == "saves":
        # a ModelCheckpoint has a monitor only with save_best_only, and that may be the
        # objective: so all settings of the slot have to agree on it
        best_only = slot.parameters["save_best_only"]
        return best_only.axis is None or len(set(best_only.values)) == 1
    return True


def read_configs(grid: Any) -> Any:  # noqa: ANN401 - whatever names configs
    """Return configs as a grid, or as a list of callbacks lists.

    A config is a tuple of callbacks. Where lists are nested in it, it stays as it was
    given: a nested list has logs of its own, and the replay needs to see it.

    Raises
    ------
    ConfigError, EvidenceError
        If it names no callback, or one that cannot be replayed.
    """
    if isinstance(grid, (Grid, PairedChoices)):
        return grid
    listed = list(grid) if is_iterable(grid) else [grid]
    slots = read_slots(listed)
    if slots is not None:
        return AlikeConfigs(map(tuple, listed), slots)
    if not any(map(is_iterable, listed)):
        return make_grid(listed)
    configs = []
    own: set[type] = set()
    for given in listed:
        config = _plain(given, own)
        if config is None:
            read = read_callbacks(given)
            config = given if any(read.groups) else read.callbacks
        if len(config) == 0:
            sentence = (
                f"{given!r} is no list of callbacks. Give make_grid([...]), or a list "
                "of callbacks lists"
            )
            raise ConfigError(sentence)
        configs.append(config)
    return configs


def _plain(
    config: Any,  # noqa: ANN401 - as above
    own: set[type],
) -> tuple[Callback, ...] | None:
    """Return a list that holds our own rules alone; None if it is anything else.

    `own` holds the classes that are known to be rules; this adds to it.
    """
    if not isinstance(config, (list, tuple)):
        return None
    for kind in map(type, config):
        if kind not in own:
            if row_of(kind) is None:
                return None
            own.add(kind)
    return tuple(config)


class AlikeConfigs(list[Any]):
    """Configs that all hold the same rules, and what `read_slots` returns of them."""

    def __init__(
        self, configs: Iterable[Any], slots: list[tuple[Callback, ...]]
    ) -> None:
        super().__init__(configs)
        self.slots = slots


def read_slots(configs: Sequence[Any]) -> list[tuple[Callback, ...]] | None:
    """Return the callbacks place by place; None unless all lists hold the same rules.

    It is quick for a million configs, because no Python code runs for each.
    """
    if isinstance(configs, AlikeConfigs):
        return configs.slots
    # a string and a CallbackList have a length too, but are no lists of rules
    plain = set(map(type, configs)) <= {list, tuple}
    if not plain or len(set(map(len, configs))) != 1:
        return None
    places = range(len(configs[0]))
    slots = [tuple(map(operator.itemgetter(at), configs)) for at in places]
    kinds = [set(map(type, held)) for held in slots]
    alike = all(len(kind) == 1 and row_of(*kind) is not None for kind in kinds)
    return slots if slots and alike else None


def pair_configs(configs: Any) -> Any:  # noqa: ANN401 - as `read_configs`
    """Return listed configs as `PairedChoices` where possible, which send quickly."""
    if isinstance(configs, (Grid, PairedChoices)):
        return configs
    slots = read_slots(configs)
    if slots is None or None in {_kernel_of(type(held[0])) for held in slots}:
        return configs
    entries: list[Callback | Choices] = []
    for held in slots:
        columns = _columns(held)
        first = {name: values[0] for name, values in columns.items()}
        varied = {name: held for name, held in columns.items() if len(held) > 1}
        fixed = {name: value for name, value in first.items() if name not in varied}
        entries.append(Choices(type(held[0]), fixed, varied) if varied else held[0])
    any_varied = any(isinstance(entry, Choices) for entry in entries)
    return pair_choices(entries) if any_varied else configs


def plan_blocks(configs: Any) -> list[Block]:  # noqa: ANN401 - as `read_configs`
    """Sort configs into blocks, each of one shape."""
    if isinstance(configs, Grid):
        axes = iter(range(len(configs.parameters)))
        slots = tuple(_grid_slot(entry, axes) for entry in configs.entries)
        return [Block(configs.shape, slots, None)]
    if isinstance(configs, PairedChoices):
        # there is one axis, with a config at each place
        every = itertools.repeat(0)
        slots = tuple(_grid_slot(entry, every) for entry in configs.entries)
        return [Block((len(configs),), slots, None)]
    alike = read_slots(configs)
    if alike is not None:
        return [Block((len(configs),), tuple(map(_listed_slot, alike)), None)]
    columns: dict[tuple[type, ...], list[int]] = {}
    for column, config in enumerate(configs):
        kinds = tuple(map(type, config)) if type(config) is tuple else (type(config),)
        columns.setdefault(kinds, []).append(column)
    if len(columns) == 1:
        return [_listed_block(configs, None)]
    return [
        _listed_block([configs[column] for column in held], np.array(held))
        for held in columns.values()
    ]


def _grid_slot(entry: Callback | Choices, axes: Iterator[int]) -> Slot:
    if not isinstance(entry, Choices):
        return _listed_slot([entry])
    kind = entry.kind
    # a callback of the user's own is made by a function
    known = fields(kind) if row_of(kind) is not None else ()
    defaults = {parameter.name: parameter.default for parameter in known}
    parameters = {
        name: Parameter([value]) for name, value in {**defaults, **entry.fixed}.items()
    }
    for name, values in entry.varied.items():
        parameters[name] = Parameter(values, next(axes))
    return Slot(kind, parameters, _kernel_of(kind))


def _listed_block(
    configs: Sequence[tuple[Callback, ...]], columns: EpochArray | None
) -> Block:
    if type(configs[0]) is not tuple:
        # a CallbackList or a nested list: no kernel knows it
        return Block((len(configs),), (Slot(None, {}),), columns)
    slots = tuple(_listed_slot(held) for held in zip(*configs, strict=True))
    return Block((len(configs),), slots, columns)


def _listed_slot(held: Sequence[Callback]) -> Slot:
    kind = type(held[0])
    kernel = _kernel_of(kind)
    if kernel is None:
        return Slot(kind, {})
    parameters = {
        name: Parameter(values, 0 if len(values) > 1 else None)
        for name, values in _columns(held, without="verbose").items()
    }
    return Slot(kind, parameters, kernel)


def _columns(held: Sequence[Callback], without: str = "") -> dict[str, list[Any]]:
    """Return the values of each parameter by config, or one value for all."""
    columns = {}
    # a rule is a dataclass; the protocol cannot say so
    for parameter in fields(type(held[0])):  # type: ignore[arg-type]
        if parameter.name == without:
            continue
        values = list(map(operator.attrgetter(parameter.name), held))
        alike = values.count(values[0]) == len(values)
        columns[parameter.name] = values[:1] if alike else values
    return columns


def _kernel_of(kind: Any) -> Kernel | None:  # noqa: ANN401 - a class, or a function
    row = row_of(kind)
    return None if row is None else row.kernel
