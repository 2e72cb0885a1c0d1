"""What the web process, the orchestrator and the worker answer over HTTP alike."""
