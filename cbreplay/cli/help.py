"""What all commands share: no option is empty, and the help puts rare ones last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["HELP", "CheckedCommand", "GroupedCommand"]

_READ = "How a log is read"
# the headings, and the parameters below each; any other is an option of one command
# alone, and goes below the first heading
_ABOUT = {
    "What is asked": (
        *("expressions", "patience", "min_delta", "start_from_epoch", "run", "kind"),
        *("versus", "versus_patience", "versus_min_delta", "versus_start_from_epoch"),
        *(
            "each",
            "same_callbacks",
            "keras_code",
            "only",
            "files",
            "epochs",
            "fit_validation_freq",
            "hypothetical",
        ),
        *("current", "conditions"),
    ),
    "How it is judged": (
        *("monitor", "mode", "keep", "objective", "objective_mode", "semantics"),
        *("initial_lr", "tolerance", "confidence", "cost_weight", "group_by"),
        *("recorded_under", "prechelt", "beyond_patience"),
    ),
    "Output": (
        "output",
        "output_format",
        "precision",
        "scheduler",
        "verbose",
        "quiet",
        "help",
    ),
    _READ: (
        *("planned_epochs", "x_axis", "validation_freq", "parts", "first_epoch"),
        *("seams", "resume", "empty", "errors", "max_bytes", "timeout"),
        "no_config",
    ),
}


def _show_help(context: click.Context, _option: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        click.echo(context.get_help(), color=context.color)
        context.exit()


# click translates the sentence of its own, for which Python reads the locale
HELP = click.Option(
    ("-h", "--help"),
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_help,
    help="Show this message and exit.",
)


class CheckedCommand(click.Command):
    """A command of which no option is empty text, as of a variable that is not set."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words of a command line; an empty one is not taken for the default.

        Raises
        ------
        click.BadParameter
            If an option is given an empty text.
        """
        if any(word[-1:] in ("", "=") for word in args):
            given, _, _ = self.make_parser(ctx).parse_args([*args])
            for option in self.get_params(ctx):
                if isinstance(option, click.Option) and _is_empty(given, option):
                    problem = "it is empty. Give a value, or leave the option out"
                    raise click.BadParameter(problem, ctx, option)
        return super().parse_args(ctx, args)


def _is_empty(given: Mapping[str, object], option: click.Option) -> bool:
    value = given.get(option.name or "")
    return "" in value if isinstance(value, list) else value == ""


class GroupedCommand(CheckedCommand):
    """A command whose help groups its options; nearly nobody needs the last group."""

    def get_help_option(self, ctx: click.Context) -> click.Option:  # noqa: ARG002 - click's
        """Return the option that shows this help."""
        return HELP

    def format_options(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the options below headings."""
        told = {
            option.name or "": record
            for option in self.get_params(ctx)
            if isinstance(option, click.Option)
            and (record := option.get_help_record(ctx)) is not None
        }
        grouped = {name for names in _ABOUT.values() for name in names}
        for title, names in _ABOUT.items():
            rows = [*_chosen(told, names)]
            if title == next(iter(_ABOUT)):
                rows += _chosen(told, [name for name in told if name not in grouped])
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def _chosen(
    told: Mapping[str, tuple[str, str]], names: Iterable[str]
) -> list[tuple[str, str]]:
    return [told[name] for name in names if name in told]
