"""Answers: one module for each question, which writes the answer as one `Document`."""
