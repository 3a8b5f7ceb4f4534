// Says in words what Midtrans put into the address. Anybody can write such an address, so this is a courtesy and no
// receipt: the order itself says what was paid. Values are only ever set as text.
"use strict";

const outcomes = {
    capture: ["Payment received", "Your card was charged. Your order is on its way to the next step."],
    settlement: ["Payment received", "Your payment has arrived. Your order is on its way to the next step."],
    authorize: ["Payment reserved", "The amount is reserved on your card."],
    pending: ["Waiting for your payment", "The shop is waiting for your payment. Your order goes on by itself once it arrives."],
    challenge: ["Payment under review", "Your bank or the shop looks at this payment again. Your order waits until then."],
    deny: ["Payment refused", "The bank refused this payment. You can go back to the payment page and try another way to pay."],
    cancel: ["Payment cancelled", "This payment was cancelled and nothing was charged."],
    expire: ["Too late", "The time to pay is over and nothing was charged. You are welcome to order again."],
    failure: ["Payment failed", "Something went wrong with this payment and nothing was charged."],
    refund: ["Money returned", "This payment was returned to you."],
};

const query = new URLSearchParams(location.search);
const status = (query.get("transaction_status") || "").toLowerCase();
const order = query.get("order_id");

if (Object.hasOwn(outcomes, status)) {
    const [headline, words] = outcomes[status];
    document.title = headline;
    document.getElementById("headline").textContent = headline;
    document.getElementById("words").textContent = words;
}
if (order) {
    document.getElementById("order").textContent = order.slice(0, 64);
    document.getElementById("reference").hidden = false;
}
