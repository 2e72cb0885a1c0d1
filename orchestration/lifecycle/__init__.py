"""What happens to a task, in the order in which it happens.

    task_request       a request from any door is checked and given its shape
    identity           …and recognised if it was made before
    task_draft         …and judged against its template
    task_initializer   task, steps and edges are written in one transaction, of one task or of many
      workflow_builder   the rows of a template's steps: the initial ones, and those added later
    task_finalizer     what comes next for a task: the only code that decides its next state
      step_enqueuer      ready steps go to the queues of their namespaces
    result_processor   workers' reports are taken, decided upon, and their tasks evaluated
      backoff            when a failed step runs again
      outcome_processor  a decision or batchable step has spoken: its task gets further steps
        decision_point     which branches a decision names
        batch_processor    into which batches an analyser cuts its data
        closure            what follows from them, and what has to wait for others to speak
    due_work           timers: retries that are due, steps of lost workers
    discovery          tasks that wait are let in by priority
    sweep              what lost its message, or was left by hand, goes on
    staleness          what stopped moving is entered in the DLQ and ends in error
    operator_actions   what people do: retry, cancel, resolve; one function for every door
    investigation      …and what they do to entries of the DLQ

A function here opens its transaction (or joins the caller's), locks tasks before steps before queue
rows, and leaves state and message committed together. Modules lower in the list are used by higher
ones, never the other way round; an import contract holds that.
"""
