"""The rules: what each callback decides.

`registry` has a row for each; the rules of one framework or author are a folder. `base`
has what a replay asks of each.
"""

from __future__ import annotations
