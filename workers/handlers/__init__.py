"""The two ways to write a step handler: classes (`base`) and decorated functions (`functional`).

`decision` and `batch` add what steps of those types give back to the engine, `api` what a handler
needs that calls a service over HTTP.
"""
