// Where the links of e-mails about accounts lead to. The token is behind the `#`, so no server and no log has it; it leaves the
// address at once, and is used only when somebody presses the button: programs that look at links before people do use none
// up. Values are only ever set as text.
"use strict";

const actions = {
    "verify-email": {
        form: "verify",
        words: "One more step: press the button to show that this e-mail address is yours.",
        done: ["Thank you", "Your e-mail address is verified."],
    },
    "reset-password": {
        form: "reset",
        words: "Choose a new password for your account.",
        done: ["Password changed", "You are logged out everywhere. Log in with your new password."],
    },
};

const [action, token] = location.hash.slice(1).split("=");
history.replaceState(null, "", location.pathname);

const say = (headline, words) => {
    document.getElementById("headline").textContent = headline;
    document.getElementById("words").textContent = words;
};

const send = async (chosen, form) => {
    const body = { token };
    if (action === "reset-password") {
        body.new_password = document.getElementById("password").value;
    }
    const reply = await fetch(`/api/v1/auth/${action}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
    });
    if (reply.ok) {
        form.hidden = true;
        say(...chosen.done);
        return;
    }
    const problem = await reply.json();
    const member = problem.errors?.[0];
    say("That did not work", member ? `${member.field} ${member.message}` : problem.detail);
};

if (Object.hasOwn(actions, action) && token) {
    const chosen = actions[action];
    const form = document.getElementById(chosen.form);
    say("Your account", chosen.words);
    form.hidden = false;
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        send(chosen, form).catch(() => say("That did not work", "The shop does not answer. Try again in a moment."));
    });
}
