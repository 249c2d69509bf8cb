"""How the decisions of Keras's callbacks are told."""
