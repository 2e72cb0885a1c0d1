"""The example workflows on real processes: `manage.py demo`.

`cases` holds what is asked for and what must come of it, one module for each workflow; `client`
speaks to the REST API, `journey` sends the cases and follows them, `outcome` compares, `screen`
shows. The processes are those of `tasker_project.local_stack`.
"""
