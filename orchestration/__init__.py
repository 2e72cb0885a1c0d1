"""What happens to a task: its states, its steps, its messages and its recovery."""
