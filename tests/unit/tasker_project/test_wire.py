"""What is read from libpq's trace."""

from tests import wire

TRACE = """\
F\t10\tQuery\t "BEGIN"
B\t10\tCommandComplete\t "BEGIN"
B\t5\tReadyForQuery\t T
F\t60\tQuery\t "-- Takes results. Caller: queries/results.py.
SELECT * FROM tasker_take_results(50)
"
B\t5\tReadyForQuery\t T
F\t11\tQuery\t "COMMIT"
B\t5\tReadyForQuery\t I
F\t20\tQuery\t "SELECT 'a "quoted" word'"
B\t5\tReadyForQuery\t I
"""


def test_statements_round_trips_and_transactions_are_told_apart():
    found = wire.read(TRACE)

    assert found.sent[1] == "-- Takes results. Caller: queries/results.py."
    assert (found.round_trips, found.statements, found.transactions) == (4, 2, 2)
