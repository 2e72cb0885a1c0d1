"""The example workflows on real processes: `manage.py demo`.

`cases` holds what is ordered and what must come of it, `client` speaks to the REST API, `journey`
sends the cases and follows them, `outcome` compares, `screen` shows. The processes are those of
`tasker_project.local_stack`.
"""
