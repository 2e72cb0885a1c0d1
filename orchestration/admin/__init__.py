"""The admin: look at tasks and steps, and act on them through `lifecycle/operator_actions`.

Rows are never added, changed or deleted here. Who sees and does what is decided by the permissions
of Tasker, not by Django's permissions of the models.
"""

from django.contrib import admin

from orchestration.admin.step import StepAdmin
from orchestration.admin.task import TaskAdmin
from orchestration.models import Task, WorkflowStep

admin.site.register(Task, TaskAdmin)
admin.site.register(WorkflowStep, StepAdmin)
