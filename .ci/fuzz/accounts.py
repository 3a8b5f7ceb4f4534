"""Whom schemathesis speaks for: its hooks."""

import os
import uuid

import requests
import schemathesis

URL = os.environ["SHOP_URL"]
TOKEN = os.environ.get("FUZZ_TOKEN")
PASSWORD = "correct horse battery"
# These end sessions or change what one logs in with.
DESTRUCTIVE = ["log_out", "end_session", "change_password", "update_profile"]


def newcomer():
    """Somebody who registered just now: the access token."""
    name = f"fuzz-{uuid.uuid4().hex[:16]}"
    account = {"email": f"{name}@example.com", "password": PASSWORD}
    requests.post(f"{URL}/api/v1/register", json={"username": name, **account}, timeout=30).raise_for_status()
    login = requests.post(f"{URL}/api/v1/login", json=account, timeout=30)
    login.raise_for_status()
    return login.json()["access_token"]


class Bearer:
    def set(self, case, token, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {token}"


if TOKEN:

    @schemathesis.auth().skip_for(operation_id=DESTRUCTIVE)
    class Lasting(Bearer):
        def get(self, case, context):
            return TOKEN

    @schemathesis.auth(refresh_interval=None).apply_to(operation_id=DESTRUCTIVE)
    class Disposable(Bearer):
        def get(self, case, context):
            return newcomer()
