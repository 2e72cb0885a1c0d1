"""Code generation: models, handlers, tests and whole workflows out of task templates.

`generate` is the way in. It works out a `plans`, `types` writes the models that `shapes` makes of
JSON Schemas, `handlers` the handlers (`functions`, `methods`) and `cases` their tests. `text`,
`naming`, `layout`, `imports`, `module` and `present` know Python and nothing of templates; `files`
decides what may be overwritten. Whatever a template says stays text, and the same template always
gives the same code, which passes ruff and mypy.
"""
