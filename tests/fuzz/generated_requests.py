"""Generated GraphQL requests against a running server: none may fail on our side, and none may be misread.

usage: generated_requests.py BASE_URL APP_ID [CASES]

Every request is made from the served schema, so it fits it. The answer may refuse it for what is asked (a value, a
rule, a limit), but a status of 5xx, an internal error, or an objection of the parser or of the validation is a defect
of ours; so is an answer whose `data` do not fit the schema.
"""

import collections
import json
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

OURS = {"INTERNAL_SERVER_ERROR", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "SERVICE_UNAVAILABLE"}


def guest(base, app):
    url = f"{base}/api/client/v2.0/app/{app}/auth/providers/anon-user/login"
    request = urllib.request.Request(url, b"{}", {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["access_token"]


def main(base, app, cases=2000):
    url = f"{base}/api/client/v2.0/app/{app}/graphql"
    headers = {"authorization": f"Bearer {guest(base, app)}"}
    session = requests.Session()
    session.headers.update(headers)
    introspection = session.post(url, json={"query": get_introspection_query()}).json()["data"]
    client_schema = build_client_schema(introspection)
    schema = schemathesis.graphql.from_url(url, headers=headers)
    operations = [result.ok() for result in schema.get_all_operations()]
    each = max(1, -(-cases // len(operations)))
    seen, codes, failures = 0, collections.Counter(), []

    for operation in operations:

        @seed(1)
        @settings(
            max_examples=each,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case):
            nonlocal seen
            seen += 1
            document = case.body if isinstance(case.body, str) else case.body["query"]
            answer = session.post(url, json={"query": document})
            problem = judge(client_schema, document, answer, codes)
            if problem:
                failures.append((operation.label, problem, document))

        ask()

    print(f"{seen} requests to {len(operations)} root fields; refusals by code: {dict(codes)}")
    for label, problem, document in failures[:20]:
        print(f"--- {label}: {problem}\n{document}", file=sys.stderr)
    print(f"{len(failures)} defects")
    return 1 if failures or seen < cases else 0


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
        if node.name.value == "__typename":
            continue
        found = misfit(kind.fields[node.name.value].type, node.selection_set, value[key], f"{where}.{key}")
        if found:
            return found
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3], *(int(text) for text in sys.argv[3:4])))
