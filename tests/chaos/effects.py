"""The business rows of a run, written by handlers and by the feeder.

No unique constraint: a row that is written twice shall be seen twice.
"""

from django.db import models

TABLES = """
CREATE TABLE chaos_effects (
  effect_id bigserial PRIMARY KEY,
  task_uuid uuid NOT NULL,
  step_name text NOT NULL,
  attempt int NOT NULL,
  written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE chaos_orders (
  order_id bigserial PRIMARY KEY,
  key text NOT NULL,
  task_uuid uuid NOT NULL
);
"""


class Effect(models.Model):
    """What an atomic step did to the business."""

    effect_id = models.BigAutoField(primary_key=True)
    task_uuid = models.UUIDField()
    step_name = models.TextField()
    attempt = models.IntegerField()

    class Meta:
        app_label = "chaos"
        managed = False
        db_table = "chaos_effects"

    def __str__(self) -> str:
        return f"{self.task_uuid} {self.step_name} attempt {self.attempt}"


class Order(models.Model):
    """What the feeder wrote in the transaction that created a task."""

    order_id = models.BigAutoField(primary_key=True)
    key = models.TextField()
    task_uuid = models.UUIDField()

    class Meta:
        app_label = "chaos"
        managed = False
        db_table = "chaos_orders"

    def __str__(self) -> str:
        return f"{self.key} {self.task_uuid}"
