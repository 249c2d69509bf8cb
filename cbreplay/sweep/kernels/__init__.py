"""Keras's rules by arrays, for many runs and settings at once.

They import neither a rule nor the scalar replay: they are a second opinion, and
``tests/differential/test_sweep.py`` holds both to each other, cell by cell.
"""
