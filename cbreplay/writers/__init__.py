"""Writers: one document in, one form out: text, JSON, CSV, Markdown, HTML, notebook."""
