"""What only our own tests need, on top of `orchestration.testing`."""
