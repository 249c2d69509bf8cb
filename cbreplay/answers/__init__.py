"""Answers in words and tables: each is one `Document`, that `cbreplay.writers` write.

One log: `staircase`; several logs: `overview`; named settings: `settings`, on a page
`one_setting_page` and `many_runs_page`; why: `explanation`; two lists: `comparison`;
what to use next: `advice`; findings: `findings` and `script_findings`; what was read:
`inspection`. The members of the JSON answer are in `json_fields`.
"""
