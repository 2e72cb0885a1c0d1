"""Templates for which code is generated: of every type of step, of hostile texts, of any size."""
# ruff: noqa: RUF001 - letters that look like others are what some of the texts are about

import json
from typing import Any

BATCHES = """
name: import_rows
namespace_name: imports
version: 1.0.0
description: Analyse, work on batches, sum up
steps:
  - name: analyse
    type: batchable
    handler: {callable: imports.analyse}
  - name: work
    type: batch_worker
    handler: {callable: imports.work}
    dependencies: [analyse]
    batch_config: {batch_size: 50}
    result_schema: {type: object, properties: {rows: {type: integer}}, required: [rows]}
  - name: sum_up
    type: deferred_convergence
    handler: {callable: imports.sum_up}
    dependencies: [analyse, work]
    result_schema: {type: object, properties: {rows: {type: integer}}, required: [rows]}
  - {name: split, type: batchable, handler: {callable: imports.Half, method: split}}
  - name: half
    type: batch_worker
    handler: {callable: imports.Half, method: work}
    dependencies: [split]
"""

HOSTILE = r'''
name: Wild "flow" \
namespace_name: wild_py
version: 1.0.0
description: 'Say """hello""" \ to'
input_schema:
  type: object
  description: "Quotes \"\"\" and \\ back\nand lines \u2028 more"
  properties:
    class: {type: string, description: "x = 1"}
    customer:
      type: object
      properties: {id: {type: string}, class: {type: string}}
      required: [class]
    orderId: {type: integer, description: "noqa: E501 # noqa"}
    model_config: {type: string, description: "type: ignore"}
    json: {type: object, additionalProperties: {type: number}}
    str: {type: string, enum: ['a"b', "it's", 'c\d', 'e"""f']}
    _id: {type: string}
    id: {type: string}
    "": {type: number}
    "9 lives!": {type: array, items: {type: object, properties: {a: {type: "null"}}}}
    token_type: {type: string, enum: [bearer]}
    größe: {type: number, description: "Größe – in ’cm’"}
    Заказ: {type: string, description: "Заказ а", enum: [а]}
    long:
      type: string
      description: >-
        word word word word word word word word word word word word word word word word word word
      enum: ["a fairly long value that has blanks and does not fit into one line of any formatter"]
  required: [class, customer, str, "", token_type, long]
steps:
  - name: class
    handler: {callable: 'wild."class"'}
    description: '"Quoted" at both "ends"'
    result_schema: {type: object, properties: {class: {type: integer}}, required: [class]}
  - name: pay-now
    handler: {callable: 'wild.pay\now'}
    dependencies: [class]
    description: "import os; os.abort()\n\"\"\"\nimport os; os.abort()\n"
    result_schema:
      type: object
      properties: {token: {type: string, enum: [secret]}}
      required: [token]
  - name: pay_now
    handler: {callable: wild.pay_now}
    dependencies: [pay-now]
    description: "# noqa\\"
  - name: test_connection
    handler: {callable: wild.test_connection}
    dependencies: [class, pay-now, pay_now]
    description: "Ends with a backslash \\"
  - {name: print, handler: {callable: wild.print}, dependencies: [test_connection]}
  - {name: Any, handler: {callable: wild.any}, dependencies: [print]}
  - {name: PayLater, handler: {callable: wild.later}, dependencies: [Any, issue_token]}
  - {name: issue_token, handler: {callable: wild.token}, dependencies: [class]}
  - {name: "--", handler: {callable: wild.dashes}, dependencies: [PayLater]}
  - {name: "2fa", handler: {callable: wild.two}, dependencies: ["--"]}
  - {name: заказ, handler: {callable: wild.заказ}, dependencies: ["2fa"]}
  - {name: __init__, handler: {callable: wild.init}, dependencies: [заказ]}
  - name: f
    handler: {callable: wild.f}
    dependencies: [class, pay-now, pay_now, print, Any, PayLater, issue_token, "2fa"]
'''

_SCHEMAS: list[dict[str, Any]] = [
    {"type": "string"},
    {"type": "integer"},
    {"type": "number"},
    {"type": "boolean"},
    {"type": "array", "items": {"type": "string"}},
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    {"type": "object", "additionalProperties": {"type": "number"}},
]


def big_template(step_count: int) -> str:
    """Return a template of so many steps: of each type, with and without classes, as JSON."""
    steps = [_step(number) for number in range(step_count)]
    for number in range(10, step_count, 30):
        steps[number]["type"] = "decision"
    for number in range(20, step_count - 1, 30):
        steps[number]["type"] = "batchable"
        steps[number + 1] |= {
            "type": "batch_worker",
            "batch_config": {"batch_size": 50},
            "dependencies": [steps[number]["name"]],
        }
    for number in range(5, step_count - 1, 40):
        for each, method in ((number, "first"), (number + 1, "second")):
            steps[each]["handler"] = {"callable": f"big.Pair{number}", "method": method}
    given = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}
    return json.dumps(
        {
            "name": "big",
            "namespace_name": "big",
            "version": "1.0.0",
            "input_schema": given,
            "steps": steps,
        }
    )


def _step(number: int) -> dict[str, Any]:
    properties = {
        f"field_{each}": {"description": f"Field {each} of step {number}"}
        | _SCHEMAS[(number + each) % len(_SCHEMAS)]
        for each in range(number % 5 + 1)
    }
    earlier = sorted({each for each in (number - 1, number - 7, number // 2) if 0 <= each < number})
    return {
        "name": f"step_{number:03d}",
        "description": f"Do part {number} of the work",
        "handler": {"callable": f"big.step_{number:03d}"},
        "dependencies": [f"step_{each:03d}" for each in earlier],
        "result_schema": {
            "type": "object",
            "properties": properties,
            "required": list(properties)[:2],
        },
    }
