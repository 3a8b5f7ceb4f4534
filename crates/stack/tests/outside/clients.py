"""Drives the local Midtrans with Midtrans' official Python client: clients.py BASE_URL SERVER_KEY."""

import json
import sys
import uuid

import requests
from midtransclient import CoreApi, Snap
from midtransclient.config import ApiConfig
from midtransclient.error_midtrans import MidtransAPIError

BASE, KEY = sys.argv[1:]
ApiConfig.CORE_SANDBOX_BASE_URL = BASE
ApiConfig.SNAP_SANDBOX_BASE_URL = BASE + "/snap/v1"

snap = Snap(is_production=False, server_key=KEY, client_key="SB-Mid-client-local")
core = CoreApi(is_production=False, server_key=KEY, client_key="SB-Mid-client-local")
card = {"card_exp_month": "12", "card_exp_year": "2030", "card_cvv": "123", "client_key": "SB-Mid-client-local"}


def new_id():
    return f"py-{uuid.uuid4()}"[:50]


def details(order_id, amount=12145):
    return {"transaction_details": {"order_id": order_id, "gross_amount": amount}}


def expect(answer, code, status=None):
    seen = (answer["status_code"], answer.get("transaction_status"))
    assert seen == (str(code), status or seen[1]), f"expected {code} {status}: {answer}"
    return answer


def refused(code, text, call, *args):
    try:
        answer = call(*args)
    except MidtransAPIError as error:
        assert str(code) in error.message and text in error.message, error.message
        assert isinstance(error.api_response_dict, dict) and isinstance(error.http_status_code, int)
        return error
    raise AssertionError(f"expected {code}, got {answer}")


def pay(token, **how):
    answer = requests.post(f"{BASE}/sandbox/pay", json={"token": token, **how}, timeout=10)
    assert answer.status_code == 200, answer.text


def snap_page_is_created_again_until_it_is_paid():
    order = new_id()
    first, second = snap.create_transaction(details(order)), snap.create_transaction(details(order))
    assert len(first["token"]) == 36 and first["redirect_url"].endswith(first["token"]), first
    assert first["token"] != second["token"]
    assert snap.create_transaction_token(details(new_id()))
    assert requests.get(snap.create_transaction_redirect_url(details(new_id())), timeout=10).status_code == 200
    refused(404, "exist", core.transactions.status, order)
    pay(second["token"])
    expect(snap.transactions.status(order), 200, "capture")
    refused(400, "order_id", snap.create_transaction, details(order))


def snap_takes_everything_that_the_documents_name():
    everything = details(new_id(), 20000) | {
        "item_details": [
            {"id": "1", "price": 11000, "quantity": 2, "name": "Apple", "brand": "Fuji", "category": "Fruit"},
            {"id": "2", "price": -2000, "quantity": 1, "name": "Discount"},
        ],
        "customer_details": {
            "first_name": "Ani", "last_name": "Wijaya", "email": "ani@example.com", "phone": "+62 811",
            "billing_address": {"first_name": "Ani", "address": "Jl. Mawar 1", "city": "Bandung", "country_code": "IDN"},
            "shipping_address": {"first_name": "Ani", "postal_code": "40111"},
        },
        "enabled_payments": ["credit_card", "mandiri_clickpay", "bca_va", "kioson", "gopay"],
        "credit_card": {"secure": True, "bank": "bca", "installment": {"required": False, "terms": {"bca": [3, 6]}}},
        "bca_va": {"va_number": "12345678911", "free_text": {"inquiry": [], "payment": []}},
        "callbacks": {"finish": "https://example.com/done"},
        "expiry": {"start_time": "2030-12-20 18:11:08 +0700", "unit": "minutes", "duration": 1},
        "custom_field1": "one", "custom_field2": "two", "custom_field3": "three", "user_id": "7",
    }
    assert snap.create_transaction(everything)["token"]


def snap_refuses_what_is_wrong():
    refused(400, "is required", snap.create_transaction, None)
    refused(400, "gross_amount", snap.create_transaction, details(new_id(), 0))
    wrong = details(new_id()) | {"item_details": [{"id": "1", "price": 1, "quantity": 1, "name": "x"}]}
    refused(400, "not equal to the sum", snap.create_transaction, wrong)
    stranger = Snap(is_production=False, server_key="wrong", client_key="")
    refused(401, "unauthorized", stranger.create_transaction, details(new_id()))
    refused(401, "", CoreApi(is_production=False, server_key="wrong", client_key="").charge, bank_transfer(new_id()))


def bank_transfer(order):
    return details(order) | {"payment_type": "bank_transfer", "bank_transfer": {"bank": "bca"}}


def a_virtual_account_waits_is_notified_and_expires():
    order = new_id()
    charged = expect(core.charge(bank_transfer(order)), 201, "pending")
    assert charged["va_numbers"][0]["bank"] == "bca", charged
    seen = expect(core.transactions.status(order), 201, "pending")
    expect(core.transactions.notification(seen), 201, "pending")
    expect(core.transactions.notification(json.dumps(seen)), 201, "pending")
    core.api_config.custom_headers = {"x-test": "yes"}
    expect(core.transactions.notification(seen), 201, "pending")
    core.api_config.custom_headers = {}
    expect(core.transactions.statusb2b(order), 200)
    expect(core.transactions.expire(order), 407, "expire")
    expect(core.transactions.status(order), 407, "expire")


def a_card_is_charged_and_cancelled_but_not_refunded_before_it_settles():
    token = expect(core.card_token(card | {"card_number": "5264 2210 3887 4659"}), 200)["token_id"]
    saved = expect(core.card_register(card | {"card_number": "4811 1111 1111 1114"}), 200)
    assert saved["masked_card"] == "48111111-1114", saved
    points = core.card_point_inquiry(token)
    assert "Success" in points["status_message"] and points["point_balance_amount"], points
    for card_token in [token, saved["saved_token_id"]]:
        order = new_id()
        charge = details(order) | {"payment_type": "credit_card", "credit_card": {"token_id": card_token}}
        assert expect(core.charge(charge), 200, "capture")["fraud_status"] == "accept"
        refused(406, "", core.charge, charge)
        for action in [core.transactions.approve, core.transactions.deny]:
            refused(412, "", action, order)
        for refund in [core.transactions.refund, core.transactions.refundDirect]:
            refused(412, "", refund, order, {"refund_key": "r1", "amount": 5000, "reason": "why not"})
        expect(core.transactions.cancel(order), 200, "cancel")
        expect(core.transactions.status(order), 200, "cancel")
        refused(412, "", core.transactions.cancel, order)


def a_settled_payment_is_refunded_in_parts():
    order = new_id()
    pay(snap.create_transaction(details(order, 10000))["token"], payment_type="qris")
    expect(core.transactions.status(order), 200, "settlement")
    part = {"refund_key": "r1", "amount": 4000, "reason": "why not"}
    expect(core.transactions.refund(order, part), 200, "partial_refund")
    refused(414, "", core.transactions.refund, order, {"refund_key": "r2", "amount": 6001})
    expect(core.transactions.refundDirect(order, {"refund_key": "r3", "amount": 6000}), 200, "refund")
    assert len(expect(core.transactions.status(order), 200, "refund")["refunds"]) == 2


def nothing_is_known_about_an_unknown_order():
    actions = core.transactions
    for action in [actions.status, actions.approve, actions.deny, actions.cancel, actions.expire, actions.refund]:
        refused(404, "exist", action, "non-exist-order-id")


def a_malformed_charge_is_refused():
    refused(500, "unexpected", core.charge, None)
    zero = bank_transfer(new_id())
    zero["transaction_details"]["gross_amount"] = 0
    refused(400, "validation_messages", core.charge, zero)


def a_repeated_charge_with_one_key_is_one_charge():
    core.api_config.custom_headers = {"Idempotency-Key": str(uuid.uuid4())}
    charge = details(new_id()) | {"payment_type": "gopay"}
    assert core.charge(charge) == core.charge(charge)
    core.api_config.custom_headers = {}


for check in [
    snap_page_is_created_again_until_it_is_paid,
    snap_takes_everything_that_the_documents_name,
    snap_refuses_what_is_wrong,
    a_virtual_account_waits_is_notified_and_expires,
    a_card_is_charged_and_cancelled_but_not_refunded_before_it_settles,
    a_settled_payment_is_refunded_in_parts,
    nothing_is_known_about_an_unknown_order,
    a_malformed_charge_is_refused,
    a_repeated_charge_with_one_key_is_one_charge,
]:
    check()
    print(f"python: {check.__name__.replace('_', ' ')}")
