"""What runs a step: handlers, their registry, the executor and the worker process."""
