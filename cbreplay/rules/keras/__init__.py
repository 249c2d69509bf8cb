"""Keras's callbacks: one rule a file, and what differs between versions of Keras."""
