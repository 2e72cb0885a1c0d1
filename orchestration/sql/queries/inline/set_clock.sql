-- Stops tasker_now() for this session; empty = it runs again. Caller: queries/inline.py set_clock.
SELECT set_config('tasker.fake_now', %(moment)s, false)
