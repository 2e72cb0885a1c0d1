"""PGMQ, the durable queues: the extension where the server offers it, else its SQL."""

from django.db import migrations

from orchestration.sql.operations import InstallPgmq


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0001_initial")]

    operations = [InstallPgmq()]
