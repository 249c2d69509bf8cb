"""Answers: one module a question, each of which says itself as one document."""
