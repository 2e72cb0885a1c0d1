"""`manage.py tasker` inside of a test: what it prints, and how it ends."""

import json
from io import StringIO
from typing import Any, NamedTuple

from django.core.management import CommandError, call_command


class Ended(NamedTuple):
    """Both streams and the exit code of a command."""

    out: str
    err: str
    code: int

    @property
    def body(self) -> Any:
        """The one document on standard output."""
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        """The error object on standard error."""
        return json.loads(self.err)["error"]


def tasker(*arguments: object, form: str = "json") -> Ended:
    """Run a verb as the command line does; a usage error ends with its code too."""
    out, err, code = StringIO(), StringIO(), 0
    texts = [str(each) for each in arguments]
    try:
        call_command("tasker", *texts, f"--format={form}", stdout=out, stderr=err)
    except CommandError as error:
        err.write(str(error))
        code = 2 if error.returncode == 1 else error.returncode  # argparse itself leaves with 2
    except SystemExit as ended:
        code = int(ended.code or 0)
    return Ended(out.getvalue(), err.getvalue(), code)
