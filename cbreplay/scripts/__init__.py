"""What a training script or notebook says of its callbacks and fits; nothing is run.

A script is read in these steps:

1. `sources` makes a syntax tree of its text; of a notebook, of its code cells.
2. The tree is written simpler where that certainly means the same: `own_modules` (what
   is imported from files beside it), `reassigned_names`, `partials`, `growing_lists`,
   and after step 4 `double_stars`.
3. `names` walks the tree once, and notes where names are bound, changed and called.
4. `calls` has the resolver, `ScriptCalls`. All later steps ask it what an expression
   stands for: the dotted path by which it is imported (`paths`), or the one expression
   that it is in the end (`followed`). Upon it stand `possible_values`, for all that it
   may be, and `literals`, for its number or text. What the text does not tell is
   `Unread`.
5. `keras_classes` and the modules beside it say by the path which class a call makes an
   object of; `lists` and `members` what a list of callbacks may hold; `facts` what is
   told about a training.
6. `script` reads the one list for a replay, and refuses any doubt; `training_scripts`
   reads all lists for ``lint``, and lists the doubts.
"""

from __future__ import annotations
