"""The admin: look at everything, and act on it through the lifecycle's functions.

Rows of the engine are never added, changed or deleted here. Who sees and does what is decided by
the permissions of Tasker and the namespaces of the user, not by Django's permissions of the models.
A page is a module; `read_only` is what they share, `pages` puts parts together, `actions` asks why.
"""

from django.contrib import admin

from orchestration.admin.api_key import ApiKeyAdmin
from orchestration.admin.dlq import DlqAdmin
from orchestration.admin.namespace import NamespaceAdmin
from orchestration.admin.process import ProcessAdmin
from orchestration.admin.step import StepAdmin
from orchestration.admin.task import TaskAdmin
from orchestration.admin.template import TemplateAdmin
from orchestration.models import ApiKey, DlqEntry, Task, TaskerProcess, WorkflowStep
from templates_registry.models import NamedTask, TaskNamespace

admin.site.register(Task, TaskAdmin)
admin.site.register(WorkflowStep, StepAdmin)
admin.site.register(DlqEntry, DlqAdmin)
admin.site.register(NamedTask, TemplateAdmin)
admin.site.register(TaskNamespace, NamespaceAdmin)
admin.site.register(TaskerProcess, ProcessAdmin)
admin.site.register(ApiKey, ApiKeyAdmin)
