"""Generated GraphQL requests against a running server: none may fail on our side, and none may be misread.

usage: generated_requests.py BASE_URL APP_ID [CASES] [--every-mutation]

Every request is made from the served schema, so it fits it. The answer may refuse it for what is asked (a value, a
rule, a limit), but a status of 5xx, an internal error, or an objection of the parser or of the validation is a defect
of ours; so is an answer whose `data` do not fit the schema. Where a guest may write everything, `--every-mutation`
asks that every mutation succeeds at least once.
"""

import collections
import json
import re
import sys
import urllib.request

import requests
import schemathesis
from graphql import (
    build_client_schema,
    get_introspection_query,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    parse,
    validate,
)
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.graphql import nodes

OURS = {"INTERNAL_SERVER_ERROR", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "SERVICE_UNAVAILABLE"}

# Values of our scalars: ones that documents have and that meet again, and whatever the type admits.
OBJECT_IDS = st.sampled_from([f"{kind:02x}{number:022x}" for kind in range(1, 7) for number in range(1, 5)])
LONGS = st.integers(1, 4) | st.integers(-(2**63), 2**63 - 1)
DATE_TIMES = st.datetimes().map(lambda at: at.isoformat(timespec="milliseconds") + "Z")
SCALARS = {
    "ObjectId": (OBJECT_IDS | st.from_regex(r"[0-9a-f]{24}", fullmatch=True)).map(nodes.String),
    "Long": LONGS.map(lambda long: nodes.String(str(long))),
    "DateTime": DATE_TIMES.map(nodes.String),
}


def guest(base, app):
    url = f"{base}/api/client/v2.0/app/{app}/auth/providers/anon-user/login"
    request = urllib.request.Request(url, b"{}", {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["access_token"]


def main(base, app, cases, every_mutation):
    url = f"{base}/api/client/v2.0/app/{app}/graphql"
    headers = {"authorization": f"Bearer {guest(base, app)}"}
    session = requests.Session()
    session.headers.update(headers)
    introspection = session.post(url, json={"query": get_introspection_query()}).json()["data"]
    client_schema = build_client_schema(introspection)
    for name, strategy in SCALARS.items():
        schemathesis.graphql.scalar(name, strategy)
    schema = schemathesis.graphql.from_url(url, headers=headers)
    operations = [result.ok() for result in schema.get_all_operations()]
    # Documents are there before they are changed, and go last.
    operations.sort(key=lambda operation: ORDER.get(VERB.match(field_of(operation)).group(), 1))
    each = max(1, -(-cases // (2 * len(operations))))
    seen, succeeded, codes, failures = 0, collections.Counter(), collections.Counter(), []

    def ask(operation, case):
        nonlocal seen
        seen += 1
        document = case.body if isinstance(case.body, str) else case.body["query"]
        answer = session.post(url, json={"query": document})
        problem = judge(client_schema, document, answer, codes)
        if problem:
            failures.append((operation.label, problem, document))
        elif "errors" not in answer.json():
            succeeded[field_of(operation)] += 1

    for operation in operations:
        # Most nulls are refused for what they are: every second request has none.
        for nulls in (False, True):
            schema.config.generation.update(graphql_allow_null=nulls)
            generate(operation, each, ask)

    print(f"{seen} requests to {len(operations)} root fields, {succeeded.total()} succeeded; refusals: {dict(codes)}")
    for label, problem, document in failures[:20]:
        print(f"--- {label}: {problem}\n{document}", file=sys.stderr)
    idle = [name for name in client_schema.mutation_type.fields if not succeeded[name]] if every_mutation else []
    if idle:
        print(f"mutations that never succeeded: {', '.join(idle)}", file=sys.stderr)
    print(f"{len(failures)} defects")
    return 1 if failures or idle or seen < cases else 0


VERB = re.compile("insert|update|upsert|replace|delete|")
ORDER = {"insert": 0, "update": 2, "upsert": 3, "replace": 4, "delete": 5}


def field_of(operation):
    return operation.label.split(".")[-1]


def generate(operation, examples, ask):
    @seed(1)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def each(case):
        ask(operation, case)

    each()


def judge(client_schema, document, answer, codes):
    if answer.status_code != 200:
        return f"status {answer.status_code}: {answer.text[:300]}"
    body = answer.json()
    if validate(client_schema, parse(document)):
        return None
    for error in body.get("errors", []):
        code = error.get("extensions", {}).get("code")
        codes[code] += 1
        if code in OURS or not error.get("message"):
            return json.dumps(error)
    if body.get("data") is None:
        return None if body.get("errors") else "neither data nor errors"
    operation = parse(document).definitions[0]
    kind = client_schema.mutation_type if operation.operation.value == "mutation" else client_schema.query_type
    return misfit(kind, operation.selection_set, body["data"], "data")


PYTHON_TYPES = {"String": str, "Boolean": bool, "Int": int, "Float": (int, float), "ObjectId": str, "DateTime": str}


def misfit(kind, selection_set, value, where):
    """What of a value does not fit its type, if anything."""
    if is_non_null_type(kind):
        if value is None:
            return f"{where} is null"
        kind = kind.of_type
    if value is None:
        return None
    if is_list_type(kind):
        if not isinstance(value, list):
            return f"{where} is no list"
        found = (misfit(kind.of_type, selection_set, item, f"{where}[{at}]") for at, item in enumerate(value))
        return next(filter(None, found), None)
    if is_leaf_type(kind):
        expected = PYTHON_TYPES.get(get_named_type(kind).name, object)
        return None if isinstance(value, expected) else f"{where} is {value!r}"
    fields = [node for node in selection_set.selections if node.kind == "field"]
    keys = [(node.alias or node.name).value for node in fields]
    if len(fields) == len(selection_set.selections) and set(value) != set(keys):
        return f"{where} has {sorted(value)} instead of {sorted(set(keys))}"
    for node, key in zip(fields, keys):
        # `insertedIds` are said to be ObjectIds, as the original does, and are what the documents have.
        if node.name.value in ("__typename", "insertedIds"):
            continue
        found = misfit(kind.fields[node.name.value].type, node.selection_set, value[key], f"{where}.{key}")
        if found:
            return found
    return None


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--every-mutation"]
    wanted = int(words[2]) if len(words) > 2 else 2000
    sys.exit(main(words[0], words[1], wanted, "--every-mutation" in sys.argv))
