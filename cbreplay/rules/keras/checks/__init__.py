"""What `lint` looks for in Keras's callbacks.

`settings`: the parameters of one callback; `monitors`: its monitor and mode; `records`:
what a log adds; `checkpoints`: saved files; `lists`: callbacks that defeat each other.
"""
