"""Signs schemathesis in: somebody new every few seconds, since many a call ends the session or the account it is made by."""

import secrets

import requests
import schemathesis

JSON = {"content-type": "application/json"}


def register(origin):
    body = {"username": f"fuzz-{secrets.token_hex(10)}", "password": "correct horse battery staple"}
    answer = requests.post(f"{origin}/v1/users", json=body, headers=JSON, timeout=30)
    if answer.status_code != 201:
        raise RuntimeError(f"unable to register: {answer.status_code} {answer.text}")
    return answer.json()["accessToken"]


@schemathesis.auth(refresh_interval=5)
class SomebodyNew:
    def get(self, case, context):
        return register(case.operation.schema.get_base_url())

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


# What no schema can say: how JSON is written, what a cursor holds, which addresses there are, what typing makes of a name.
UNTOLD = {
    "a number that a double holds",
    "each key once",
    "no key __proto__",
    "well-formed Unicode, no U+0000",
    "something visible",
    "an email address",
    "different from `from`",
    "3 to 32 of a-z 0-9 . _ -",
    "`next` of a previous page",
}


@schemathesis.check
def schema_is_as_strict_as_the_domain(context, response, case):
    """Whatever the document allows is not refused as ill-formed."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != 400:
        return
    error = response.json()["error"]
    # Which push services there are is a setting.
    is_untold = error.get("rule") in UNTOLD or error.get("rule", "").startswith("an https URL of ")
    if error["code"] == "field_invalid" and not is_untold:
        raise AssertionError(f"{error['field']}: {error.get('rule')}")
