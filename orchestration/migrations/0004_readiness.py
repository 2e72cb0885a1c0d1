"""What may run and what comes next: graph, readiness, contexts, discovery, DLQ entry, views."""

from django.db import migrations

from orchestration.sql.operations import SQLFunction, SQLView


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0003_state_history")]

    operations = [
        SQLFunction("calculate_dependency_levels"),
        SQLFunction("calculate_step_depths"),
        SQLFunction("get_step_transitive_dependencies"),
        SQLFunction("calculate_step_next_retry_time"),
        SQLFunction("evaluate_step_state_readiness"),
        SQLFunction("get_step_readiness_status_batch"),
        SQLFunction("get_step_readiness_status"),
        SQLFunction("get_task_execution_contexts_batch"),
        SQLFunction("get_task_execution_context"),
        SQLFunction("get_task_ready_info_batch"),
        SQLFunction("get_task_ready_info"),
        SQLFunction("get_next_ready_tasks"),
        SQLFunction("get_next_ready_task"),
        SQLFunction("get_current_task_state"),
        SQLFunction("find_stuck_tasks"),
        SQLFunction("tasker_next_due_at"),
        SQLFunction("transition_task_state_atomic"),
        SQLFunction("calculate_staleness_threshold"),
        SQLFunction("create_dlq_entry"),
        SQLFunction("get_system_health_counts"),
        SQLView("tasker_step_dag_relationships"),
        SQLView("tasker_dlq_dashboard"),
        SQLView("tasker_dlq_investigation_queue"),
        SQLView("tasker_task_state_analysis"),
    ]
