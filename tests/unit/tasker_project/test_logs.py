"""The shape of a log line: keys in order, ids of the current task, errors, nothing of Django's."""

import io
import json
import logging
import threading
from contextlib import suppress

import pytest

from orchestration.runtime.log_context import lines_together, log_context, log_often
from tasker_project.logs import ConsoleFormatter, JsonFormatter, LinesHandler, logging_settings

LEADING = ["correlation_id", "task_uuid", "step_uuid", "namespace", "event", "level", "timestamp"]


def _record(event, **extra):
    logger = logging.getLogger("orchestration.test")
    return logger.makeRecord(logger.name, logging.INFO, "f.py", 1, event, (), None, extra=extra)


def test_line_begins_with_the_ids_whether_there_are_any_or_not():
    line = json.loads(JsonFormatter().format(_record("process.started")))

    assert list(line)[:7] == LEADING
    assert (line["event"], line["task_uuid"], line["level"]) == ("process.started", None, "INFO")


def test_line_carries_the_ids_of_the_current_unit_of_work():
    with log_context(task_uuid="t-1", correlation_id="c-1"):
        line = json.loads(JsonFormatter().format(_record("step.claimed", attempt=2)))
    after = json.loads(JsonFormatter().format(_record("loop.round")))

    assert (line["task_uuid"], line["correlation_id"], line["attempt"]) == ("t-1", "c-1", 2)
    assert after["task_uuid"] is None


def test_line_says_when_it_was_logged_to_the_millisecond():
    record = _record("process.started")
    record.created = 1_700_000_000.0625

    assert json.loads(JsonFormatter().format(record))["timestamp"] == "2023-11-14T22:13:20.062Z"


def test_line_of_the_hot_path_is_the_line_of_any_other_event(caplog):
    caplog.set_level(logging.INFO, logger="orchestration.test")
    log = logging.getLogger("orchestration.test")

    log_often(log, "step.succeeded", {"task_uuid": "t-1", "attempt": 2})
    log.info("step.succeeded", extra={"task_uuid": "t-1", "attempt": 2})

    often, usual = (json.loads(JsonFormatter().format(each)) for each in caplog.records)
    assert list(often) == list(usual)
    assert often | {"timestamp": ""} == usual | {"timestamp": ""}


def test_a_level_that_is_off_logs_nothing_on_the_hot_path(caplog):
    caplog.set_level(logging.WARNING, logger="orchestration.test")

    log_often(logging.getLogger("orchestration.test"), "step.succeeded", {})

    assert caplog.records == []


def test_fields_of_the_hot_path_are_attributes_for_formatters_of_others(caplog):
    caplog.set_level(logging.INFO, logger="orchestration.test")

    log_often(logging.getLogger("orchestration.test"), "step.succeeded", {"attempt": 2})

    line = logging.Formatter("%(levelname)s %(name)s %(threadName)s %(message)s %(attempt)s")
    assert line.format(caplog.records[0]) == "INFO orchestration.test None step.succeeded 2"


def test_records_that_others_make_are_made_for_the_hot_path_too(caplog):
    caplog.set_level(logging.INFO, logger="orchestration.test")

    def traced(*args, **kwargs):
        record = logging.LogRecord(*args, **kwargs)
        record.trace = "abc"
        return record

    logging.setLogRecordFactory(traced)
    try:
        log_often(logging.getLogger("orchestration.test"), "step.succeeded", {"attempt": 2})
    finally:
        logging.setLogRecordFactory(logging.LogRecord)

    [record] = caplog.records
    assert (record.trace, record.attempt) == ("abc", 2)


def test_event_with_an_id_of_its_own_wins_over_the_context():
    with log_context(task_uuid="outer"):
        line = json.loads(JsonFormatter().format(_record("task.created", task_uuid="inner")))

    assert line["task_uuid"] == "inner"


def test_duration_and_count_come_last():
    line = json.loads(JsonFormatter().format(_record("x", count=3, duration_ms=1.5, name_of="y")))

    assert list(line)[-3:] == ["name_of", "duration_ms", "count"]


def test_error_is_told_with_type_text_and_traceback():
    logger = logging.getLogger("orchestration.test")
    try:
        raise ValueError("no such thing")
    except ValueError as error:
        triple = (ValueError, error, error.__traceback__)
    record = logger.makeRecord(logger.name, logging.ERROR, "f.py", 1, "loop.failed", (), triple)

    line = json.loads(JsonFormatter().format(record))

    assert (line["error_type"], line["error"]) == ("ValueError", "no such thing")
    assert "Traceback" in line["traceback"]


def test_console_line_is_one_line_with_the_fields_behind_the_event():
    line = ConsoleFormatter().format(_record("step.claimed", attempt=2))

    assert line.endswith("step.claimed attempt=2")
    assert "\n" not in line


def test_settings_of_both_forms_can_be_used():
    for form, stream in (("json", "ext://sys.stdout"), ("console", "ext://sys.stderr")):
        made = logging_settings(level="DEBUG", form=form)

        assert made["handlers"]["lines"]["stream"] == stream
        assert made["loggers"]["workers"]["level"] == "DEBUG"


def test_what_json_or_utf_8_cannot_say_keeps_its_line():
    line = JsonFormatter().format(_record("x", half="\ud800", odd=float("nan"), who=object))

    line.encode()
    assert json.loads(line)["half"] == "\ud800"
    assert json.loads(JsonFormatter().format(_record("x", odd=float("nan"))))["odd"] is None


class Stream(io.StringIO):
    """Remembers each call that writes."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        if self.closed:
            raise ValueError("I/O operation on closed file")
        self.writes.append(text)
        return len(text)


@pytest.fixture
def stream(monkeypatch):
    """What the only handler of the process writes to."""
    stream = Stream()
    handler = LinesHandler(stream)
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    return stream


def test_each_line_is_written_when_it_is_logged(stream):
    log = logging.getLogger("orchestration.test")

    log.warning("worker.lost")

    assert stream.writes == ["worker.lost\n"]


def test_lines_of_a_block_are_written_at_its_end_by_one_call(stream):
    log = logging.getLogger("orchestration.test")

    with lines_together():
        log.warning("worker.lost")
        with lines_together():
            log.warning("lease.expired")
        assert stream.writes == []

    assert stream.writes == ["worker.lost\nlease.expired\n"]


def test_lines_of_a_block_that_fails_are_not_lost(stream):
    with suppress(RuntimeError), lines_together():
        logging.getLogger("orchestration.test").warning("worker.lost")
        raise RuntimeError

    assert stream.writes == ["worker.lost\n"]


def test_another_thread_takes_held_lines_along_in_their_order(stream):
    log = logging.getLogger("orchestration.test")
    other = threading.Thread(target=log.warning, args=["lease.expired"])

    with lines_together():
        log.warning("worker.lost")
        other.start()
        other.join()

    assert stream.writes == ["worker.lost\nlease.expired\n"]


def test_handlers_that_know_nothing_of_blocks_write_as_ever(monkeypatch):
    stream = Stream()
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.StreamHandler(stream)])

    with lines_together():
        logging.getLogger("orchestration.test").warning("worker.lost")
        assert "".join(stream.writes) == "worker.lost\n"


def test_a_block_whose_lines_cannot_be_written_goes_on(stream):
    with lines_together():
        logging.getLogger("orchestration.test").warning("worker.lost")
        stream.close()

    assert stream.closed
