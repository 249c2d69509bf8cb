"""How far what some runs show holds for the next one.

The words of this package:

- The *promise* is about a rank among the groups' sufficient patience (`promise`).
- The *kinds* are kinds of learning curves known from other data sets (`prior`).
- The *track record* is how advice from such runs did elsewhere (`track_record`).
"""
