"""How a process of Tasker lives: signals, loops, the supervisor that starts and stops them.

Nothing here knows a task, a step or a queue; `orchestration.orchestrator` and `workers.worker` say
which function runs on which loop.
"""
