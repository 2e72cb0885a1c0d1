"""Handlers of the shipped example workflows, one module per workflow.

Discovered when the setting `load_examples` is true. Pure functions without network or database;
`customer_success` creates a task.
"""
