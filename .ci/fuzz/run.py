"""Fuzzes every API document as nobody, as a customer and as an administrator."""

import argparse
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import requests

URL = os.environ["SHOP_URL"]
ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ["user", "product", "cart", "order", "payment", "delivery"]
ROLES = ["nobody", "customer", "administrator"]
PATIENCE = 60


class Person:
    """Somebody with a token."""

    def __init__(self, email, password):
        self.account = {"email": email, "password": password}
        self.log_in()

    def log_in(self):
        self.token = ask("POST", "/login", json=self.account)["access_token"]

    def ask(self, method, path, **more):
        return ask(method, path, headers={"Authorization": f"Bearer {self.token}"}, **more)

    def order(self):
        """An order of one unit that can be paid."""
        self.ask("POST", "/cart/item", json={"product_id": 1, "quantity": 1})
        order = self.ask("POST", "/order")["order_id"]
        return until(lambda: find(self.ask("GET", f"/order/{order}"), "payment_url"))

    def buy(self):
        """An order that is paid, and its delivery."""
        order = self.order()
        pay(order)
        return until(lambda: self.ask("GET", f"/delivery?order_id={order['id']}"))[0]


def ask(method, path, **more):
    answer = requests.request(method, f"{URL}/api/v1{path}", timeout=30, **more)
    answer.raise_for_status()
    return answer.json()


def pay(order):
    token = order["payment_url"].rsplit("/", 1)[-1].split("?")[0]
    requests.post(f"{URL}/midtrans/sandbox/pay", json={"token": token}, timeout=30).raise_for_status()


def find(answer, member):
    return answer if member in answer else None


def until(look):
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        if time.monotonic() > deadline:
            sys.exit("fuzz-api: the shop does not get on with its orders")
        time.sleep(0.05)
    return found


def furnish():
    """A customer and an administrator, and orders in every state that people bring about."""
    email = "fuzz@example.com"
    ask("POST", "/register", json={"username": "fuzz", "email": email, "password": "correct horse battery"})
    customer = Person(email, "correct horse battery")
    admin = Person("admin@admin.com", "admin123")
    customer.order()
    customer.ask("POST", f"/order/{customer.order()['id']}/cancel")
    for statuses in [], ["IN_TRANSIT"], ["IN_TRANSIT", "DELIVERED"], ["FAILED"]:
        delivery = customer.buy()
        for status in statuses:
            admin.ask("PUT", f"/delivery/{delivery['id']}/status", json={"status": status})
    customer.ask("POST", "/cart/item", json={"product_id": 2, "quantity": 2})
    return {"nobody": None, "customer": customer, "administrator": admin}


def fuzz(document, role, person, seed, seconds, more):
    print(f"== {document} as {role}", flush=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / ".ci/fuzz"), "SCHEMATHESIS_HOOKS": "accounts"}
    if person:
        # The last run may have ended the session, and no token counts for longer than 15 minutes.
        person.log_in()
        environment["FUZZ_TOKEN"] = person.token
    command = [
        ROOT / "target/openapi-tools/bin/schemathesis",
        f"--config-file={ROOT}/.ci/fuzz/schemathesis.toml",
        "run",
        f"{URL}/{document}-docs/openapi.json",
        f"--url={URL}",
        f"--seed={seed}",
        f"--max-time={seconds}",
        *more,
    ]
    return subprocess.run(command, env=environment, cwd=ROOT / "target", check=False).returncode == 0


def main():
    parser = argparse.ArgumentParser(prog="fuzz-api")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="repeats a run")
    parser.add_argument("--minutes", type=float, default=4, help="how long it takes, about")
    parser.add_argument("--only", choices=DOCUMENTS, help="a single document")
    parser.add_argument("--role", choices=ROLES, help="a single role")
    options, more = parser.parse_known_args()
    # Nothing in user-service depends on the role.
    runs = [
        (document, role)
        for document in ([options.only] if options.only else DOCUMENTS)
        for role in ([options.role] if options.role else ROLES)
        if (document, role) != ("user", "administrator")
    ]
    print(f"fuzz-api: seed {options.seed}", flush=True)
    people = furnish()
    seconds = max(1, round(options.minutes * 60 / len(runs)))
    failed = [run for run in runs if not fuzz(*run, people[run[1]], options.seed, seconds, more)]
    print(f"fuzz-api: seed {options.seed}: {'found something: ' if failed else 'clean'}", *failed)
    sys.exit(bool(failed))


main()
