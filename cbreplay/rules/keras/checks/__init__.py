"""What `lint` looks for in Keras's callbacks.

`waiting`, `early_stopping` and `learning_rate`: the parameters of one callback;
`monitors`: its monitor and mode; `records`: what a log adds; `checkpoints`: saved
files; `lists`: callbacks that defeat each other.
"""
