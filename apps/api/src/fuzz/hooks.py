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
