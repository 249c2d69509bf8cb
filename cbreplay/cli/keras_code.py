"""``cbreplay simulate --keras-code``: a setting as code to paste."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from cbreplay.cli.remarks import remark
from cbreplay.errors import ConfigError
from cbreplay.plain_text import without_secrets

if TYPE_CHECKING:
    from cbreplay.cli.question import Question

__all__ = ["print_keras_code"]


def print_keras_code(question: Question) -> None:
    """Print the one setting that is asked about as Python code.

    Raises
    ------
    ConfigError
        If no setting or several are named, or one is code that cannot be written out.
    """
    question = replace(question, reads_logs=False)
    grid = question.grid
    if grid is None or len(grid) != 1:
        named = "none is" if grid is None else f"{len(grid)} are"
        sentence = (
            f"--keras-code writes one setting, and {named} named. "
            'Give one value for each, for example -c "PrecheltGL(alpha=2)"'
        )
        raise ConfigError(sentence)
    from cbreplay.rules.keras.keras_code import write_keras_code

    of_tf = (question.version or "").startswith("tf_keras")
    code = write_keras_code(grid[0], package="tf_keras" if of_tf else "keras")
    shown = without_secrets(code)
    if shown != code:
        remark("a URL's user, password and query are left out")
    click.echo(shown)
