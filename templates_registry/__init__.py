"""What a workflow is: templates as data. Knows no task and no queue."""
