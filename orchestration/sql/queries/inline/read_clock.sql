-- Where tasker_now() was stopped in this session; empty = it runs. Caller: queries/inline.py.
SELECT coalesce(current_setting('tasker.fake_now', true), '')
