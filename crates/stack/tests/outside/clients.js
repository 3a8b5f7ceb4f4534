// Drives the local Midtrans with Midtrans' official Node client: clients.js BASE_URL SERVER_KEY.
'use strict'

const assert = require('node:assert/strict')
const { randomUUID } = require('node:crypto')
const { CoreApi, Snap } = require('midtrans-client')
const ApiConfig = require('midtrans-client/lib/apiConfig')

const [base, serverKey] = process.argv.slice(2)
const clientKey = 'SB-Mid-client-local'
ApiConfig.CORE_SANDBOX_BASE_URL = base
ApiConfig.SNAP_SANDBOX_BASE_URL = `${base}/snap/v1`

const snap = new Snap({ isProduction: false, serverKey, clientKey })
const core = new CoreApi({ isProduction: false, serverKey, clientKey })
const card = { card_exp_month: '12', card_exp_year: '2030', card_cvv: '123', client_key: clientKey }

const newId = () => `js-${randomUUID()}`
const details = (order_id, gross_amount = 12145) => ({ transaction_details: { order_id, gross_amount } })
const bankTransfer = (order) => ({ ...details(order), payment_type: 'bank_transfer', bank_transfer: { bank: 'bca' } })

async function expect(call, code, status) {
    const answer = await call
    assert.equal(answer.status_code, String(code), JSON.stringify(answer))
    if (status) assert.equal(answer.transaction_status, status)
    return answer
}

// An HTTP error has its code as a number, an error in the body of a 200 as a text.
const refused = (call, code, text = /./) => assert.rejects(call, (error) => {
    assert.strictEqual(error.httpStatusCode, code, error.message)
    assert.match(error.message, text)
    return true
})

async function pay(token, how = {}) {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${base}/sandbox/pay`, { method: 'POST', headers, body: JSON.stringify({ token, ...how }) })
    assert.equal(answer.status, 200, await answer.text())
}

const checks = {
    async 'a page is created again until it is paid'() {
        const order = newId()
        const [first, second] = [await snap.createTransaction(details(order)), await snap.createTransaction(details(order))]
        assert.equal(first.token.length, 36)
        assert.ok(first.redirect_url.endsWith(first.token))
        assert.notEqual(first.token, second.token)
        assert.ok(await snap.createTransactionToken(details(newId())))
        await refused(core.transaction.status(order), '404', /exist/)
        await pay(second.token)
        await expect(snap.transaction.status(order), 200, 'capture')
        await refused(snap.createTransaction(details(order)), 400, /order_id/)
    },
    async 'a wrong request for a page is refused'() {
        await refused(snap.createTransaction(null), 400, /is required/)
        await refused(snap.createTransaction(details(newId(), 0)), 400, /gross_amount/)
        const stranger = { isProduction: false, serverKey: 'wrong', clientKey: '' }
        await refused(new Snap(stranger).createTransaction(details(newId())), 401, /unauthorized/)
        await refused(new CoreApi(stranger).charge(bankTransfer(newId())), 401)
    },
    async 'a virtual account waits, is notified and expires'() {
        const order = newId()
        await expect(core.charge(bankTransfer(order)), 201, 'pending')
        const seen = await expect(core.transaction.status(order), 201, 'pending')
        await expect(core.transaction.notification(seen), 201, 'pending')
        await expect(core.transaction.notification(JSON.stringify(seen)), 201, 'pending')
        await expect(core.transaction.statusb2b(order), 200)
        await expect(core.transaction.expire(order), 407, 'expire')
        await expect(core.transaction.status(order), 407, 'expire')
    },
    async 'a card is charged and cancelled, but not refunded before it settles'() {
        const { token_id } = await expect(core.cardToken({ ...card, card_number: '4811 1111 1111 1114' }), 200)
        const saved = await expect(core.cardRegister({ ...card, card_number: '4811 1111 1111 1114' }), 200)
        assert.equal(saved.masked_card, '48111111-1114')
        assert.match((await core.cardPointInquiry(token_id)).status_message, /Success/)
        for (const token of [token_id, saved.saved_token_id]) {
            const order = newId()
            const charge = { ...details(order), payment_type: 'credit_card', credit_card: { token_id: token } }
            const charged = await expect(core.charge(charge), 200, 'capture')
            assert.equal(charged.fraud_status, 'accept')
            await refused(core.charge(charge), '406')
            await refused(core.transaction.approve(order), '412')
            await refused(core.transaction.deny(order), '412')
            await refused(core.transaction.refund(order, { refund_key: 'r1', amount: 5000 }), '412')
            await refused(core.transaction.refundDirect(order, { refund_key: 'r1', amount: 5000 }), '412')
            await expect(core.transaction.cancel(order), 200, 'cancel')
            await expect(core.transaction.status(order), 200, 'cancel')
        }
    },
    async 'a settled payment is refunded in parts'() {
        const order = newId()
        const { token } = await snap.createTransaction(details(order, 10000))
        await pay(token, { payment_type: 'qris' })
        await expect(core.transaction.refund(order, { refund_key: 'r1', amount: 4000, reason: 'why not' }), 200, 'partial_refund')
        await refused(core.transaction.refund(order, { refund_key: 'r2', amount: 6001 }), '414')
        await expect(core.transaction.refundDirect(order, { refund_key: 'r3', amount: 6000 }), 200, 'refund')
        assert.equal((await core.transaction.status(order)).refunds.length, 2)
    },
    async 'nothing is known about an unknown order'() {
        const { transaction } = core
        for (const action of ['status', 'statusb2b', 'approve', 'deny', 'cancel', 'expire', 'refund', 'refundDirect']) {
            await refused(transaction[action]('non-exist-order-id'), '404', /exist/)
        }
    },
    async 'a malformed charge is refused'() {
        await refused(core.charge(null), 500, /unexpected/)
        await refused(core.charge({ ...bankTransfer(newId()), ...details(newId(), 0) }), 400, /validation_messages/)
    },
    async 'a repeated charge with one key is one charge'() {
        const common = core.httpClient.http_client.defaults.headers.common
        common['Idempotency-Key'] = randomUUID()
        const charge = { ...details(newId()), payment_type: 'gopay' }
        assert.deepEqual(await core.charge(charge), await core.charge(charge))
        delete common['Idempotency-Key']
    },
}

async function main() {
    for (const [name, check] of Object.entries(checks)) {
        await check()
        console.log(`node: ${name}`)
    }
}

main().catch((error) => {
    console.error(error)
    process.exitCode = 1
})
