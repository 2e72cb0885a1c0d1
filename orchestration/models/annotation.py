"""Notes on tasks, and pairs of ids in other systems: plain data that the engine never reads."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from orchestration.models.task import Task
from templates_registry.models import DependentSystem, Timestamped


class AnnotationType(Timestamped):
    """A kind of note."""

    annotation_type_id = models.AutoField(primary_key=True)
    name = models.CharField(max_length=64, unique=True)
    description = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001

    class Meta:
        db_table = "tasker_annotation_types"

    def __str__(self) -> str:
        return self.name


class TaskAnnotation(Timestamped):
    """A note on a task."""

    task_annotation_id = models.BigAutoField(primary_key=True)
    task = models.ForeignKey(
        Task, on_delete=models.CASCADE, db_column="task_uuid", related_name="annotations"
    )
    annotation_type = models.ForeignKey(
        AnnotationType, on_delete=models.PROTECT, db_column="annotation_type_id"
    )
    annotation = models.JSONField()

    class Meta:
        db_table = "tasker_task_annotations"
        indexes: ClassVar = [GinIndex(fields=["annotation"], name="tasker_annotation_gin")]

    def __str__(self) -> str:
        return f"{self.annotation_type_id} on {self.task_id}"


class DependentSystemObjectMap(Timestamped):
    """The same thing under its ids in two systems."""

    dependent_system_object_map_id = models.BigAutoField(primary_key=True)
    dependent_system_one = models.ForeignKey(
        DependentSystem,
        on_delete=models.PROTECT,
        db_column="dependent_system_one_uuid",
        related_name="+",
    )
    dependent_system_two = models.ForeignKey(
        DependentSystem,
        on_delete=models.PROTECT,
        db_column="dependent_system_two_uuid",
        related_name="+",
    )
    remote_id_one = models.CharField(max_length=128)
    remote_id_two = models.CharField(max_length=128)

    class Meta:
        db_table = "tasker_dependent_system_object_maps"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=[
                    "dependent_system_one",
                    "dependent_system_two",
                    "remote_id_one",
                    "remote_id_two",
                ],
                name="tasker_object_map_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.remote_id_one} = {self.remote_id_two}"
