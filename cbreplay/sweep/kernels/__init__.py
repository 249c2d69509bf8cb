"""One vectorised rule each: arrays and numbers in, steps out; no replay in sight."""
