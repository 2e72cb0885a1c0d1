"""The moves of the hot path: claims, reports, results, creation, recovery."""

from django.db import migrations

from orchestration.sql.operations import SQLFunction


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0005_queues")]

    operations = [
        SQLFunction("tasker_notify_messages"),
        SQLFunction("tasker_lock_claims"),
        SQLFunction("tasker_live_messages"),
        SQLFunction("tasker_delete_step_messages"),
        SQLFunction("tasker_bury_message"),
        SQLFunction("tasker_tidy_unclaimed"),
        SQLFunction("tasker_claim_messages"),
        SQLFunction("tasker_claim_steps"),
        SQLFunction("tasker_extend_leases"),
        SQLFunction("tasker_save_checkpoint"),
        SQLFunction("tasker_lock_advancing"),
        SQLFunction("tasker_report_steps"),
        SQLFunction("tasker_release_steps"),
        SQLFunction("tasker_enqueue_ready_steps"),
        SQLFunction("tasker_show_messages_again"),
        SQLFunction("tasker_engine_failure"),
        SQLFunction("tasker_reap_leases"),
        SQLFunction("tasker_repair_messages"),
        SQLFunction("tasker_take_results"),
        SQLFunction("tasker_settle_steps"),
        SQLFunction("tasker_move_tasks"),
        SQLFunction("tasker_advance_tasks"),
        SQLFunction("tasker_is_closed"),
        SQLFunction("tasker_send_first_steps"),
        SQLFunction("tasker_step_types"),
        SQLFunction("tasker_create_tasks"),
    ]
