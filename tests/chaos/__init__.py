"""The fault injector: a real cluster, real work, real faults, and a judge. `make chaos`.

    plan      what is made from the seed: templates, tasks, faults and their moments
    server    a PostgreSQL of its own, restarted without mercy
    cluster   orchestrators and workers as real processes, killed, paused, restarted
    feeder    creates the tasks through all doors while the faults happen
    faults    the kinds of faults
    watcher   looks at the invariants of committed states while all this goes on
    judge     what became of every task, compared with the plan
    broken    builds that are wrong on purpose, to show that the judge notices

Nothing of it is imported by the product; it uses the engine as any user does.
"""
