"""Writers: one document in, one form out."""
