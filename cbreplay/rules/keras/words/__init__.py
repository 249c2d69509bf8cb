"""The sentences about Keras's callbacks.

`waiting`: each epoch of EarlyStopping and ReduceLROnPlateau; `stopping`: how these two
ended; `others`: all other callbacks.
"""
