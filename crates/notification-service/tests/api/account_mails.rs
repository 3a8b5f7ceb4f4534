//! E-mails about accounts: what user-service says at the moment in which they are sent, once, and nothing of it is kept.

use std::sync::atomic::Ordering;

use contracts::{
    events::AccountMailRequested,
    grpc::user::{AccountMailKind, GetAccountMailResponse},
};
use mailbox::InjectedFaults;
use messaging::Delivered;
use notification_service::consumers;
use serde_json::json;
use uuid::Uuid;

use super::TestApp;

const TOKEN: &str = "5e3c1b2a4f6d7e8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708";

fn mail(kind: AccountMailKind, user_id: u64) -> GetAccountMailResponse {
    let asks = !matches!(kind, AccountMailKind::EmailChanged | AccountMailKind::NewLogin);
    GetAccountMailResponse {
        user_id,
        kind: kind.into(),
        name: "ani".to_owned(),
        email: "ani@example.com".to_owned(),
        token: if asks { TOKEN.to_owned() } else { String::new() },
        requested_at: 1_767_323_045,
        device: if kind == AccountMailKind::NewLogin { "Phone/1".to_owned() } else { String::new() },
    }
}

/// user-service has an e-mail and asks for it; whether its event was new.
async fn request(app: &TestApp, id: Uuid, mail: GetAccountMailResponse) {
    app.users.set_account_mail(id, Some(mail));
    let event = AccountMailRequested { mail_id: id };
    let delivered = testkit::deliver(&consumers::consumer(app.app()), event).await;
    assert!(matches!(delivered, Delivered::Applied), "{delivered:?}");
}

#[tokio::test]
async fn every_kind_is_sent_in_the_readers_language() {
    let app = TestApp::start().await;
    let chosen = json!({ "language": "id", "email": false, "webhook": false });
    app.customer(8).put("/api/v1/notification/preferences", chosen).await.expect(200);
    let kinds = [
        (
            AccountMailKind::VerifyEmail,
            "Please verify your e-mail address",
            "Mohon verifikasi alamat email Anda",
            "/account#verify-email=",
        ),
        (
            AccountMailKind::ResetPassword,
            "Choose a new password",
            "Pilih kata sandi baru",
            "/account#reset-password=",
        ),
        (
            AccountMailKind::ConfirmEmail,
            "Please confirm your new e-mail address",
            "Mohon konfirmasi alamat email baru Anda",
            "/account#verify-email=",
        ),
        (
            AccountMailKind::EmailChanged,
            "Your account has another e-mail address",
            "Alamat email akun Anda sudah diganti",
            "",
        ),
        (AccountMailKind::NewLogin, "New login to your account", "Login baru ke akun Anda", ""),
    ];
    for (kind, ..) in kinds {
        for user in [7, 8] {
            request(&app, Uuid::new_v4(), mail(kind, user)).await;
            app.send().await;
        }
    }
    let mails = app.mails();
    assert_eq!(mails.len(), 10, "nobody can do without them");
    for (pair, (_, english, indonesian, link)) in mails.chunks(2).zip(kinds) {
        assert_eq!((pair[0].subject.as_str(), pair[1].subject.as_str()), (english, indonesian));
        for mail in pair {
            assert_eq!(mail.to, ["ani@example.com"]);
            let has_link = mail.text.contains(&format!("{link}{TOKEN}"));
            assert_eq!(has_link, !link.is_empty(), "{}", mail.text);
        }
    }
    assert!(
        mails[8].text.contains("Phone/1") && mails[8].text.contains("2026-01-02 03:04 UTC"),
        "{}",
        mails[8].text
    );
}

#[tokio::test]
async fn one_is_sent_once_and_again_with_the_same_id_and_token_where_that_is_not_known() {
    let app = TestApp::start().await;
    let id = Uuid::new_v4();
    app.set_faults(InjectedFaults { lose_answer: true, ..InjectedFaults::default() });
    request(&app, id, mail(AccountMailKind::ResetPassword, 7)).await;
    app.send().await;
    app.set_faults(InjectedFaults::default());
    app.send_again().await;
    let mails = app.mails();
    assert_eq!((mails.len(), mails[0].copies), (1, 2));
    assert_eq!(mails[0].message_id.as_deref(), Some(format!("{id}@example.com").as_str()));
    assert_eq!(app.send_again().await, 0, "nothing is left to do");
}

#[tokio::test]
async fn one_waits_for_user_service_and_the_mail_server_and_is_not_sent_when_it_is_too_late() {
    let app = TestApp::start().await;
    let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
    app.users.away.store(true, Ordering::Relaxed);
    request(&app, first, mail(AccountMailKind::VerifyEmail, 7)).await;
    app.send().await;
    app.users.away.store(false, Ordering::Relaxed);
    app.set_faults(InjectedFaults { down: true, ..InjectedFaults::default() });
    app.send_again().await;
    app.set_faults(InjectedFaults::default());
    assert_eq!(app.mails().len(), 0);
    app.send_again().await;
    assert_eq!(app.mails().len(), 1);

    request(&app, second, mail(AccountMailKind::VerifyEmail, 7)).await;
    app.users.set_account_mail(second, None);
    assert_eq!((app.send().await, app.mails().len(), app.send_again().await), (1, 1, 0));
}

#[tokio::test]
async fn what_the_server_refuses_for_good_is_not_tried_again() {
    let app = TestApp::start().await;
    app.set_faults(InjectedFaults { refuse_recipient: Some(550), ..InjectedFaults::default() });
    request(&app, Uuid::new_v4(), mail(AccountMailKind::VerifyEmail, 7)).await;
    assert_eq!((app.send().await, app.send_again().await), (1, 0));
}

#[tokio::test]
async fn one_leads_to_the_page_of_the_front_end_if_there_is_one() {
    let own = "--notification-account-url=https://shop.example/me/{action}#{token}";
    let app = TestApp::with_flags(&[own]).await;
    request(&app, Uuid::new_v4(), mail(AccountMailKind::ResetPassword, 7)).await;
    app.send().await;
    let link = format!("https://shop.example/me/reset-password#{TOKEN}");
    assert!(app.mails()[0].text.contains(&link), "{}", app.mails()[0].text);
}

#[tokio::test]
async fn neither_address_nor_token_is_kept() {
    let app = TestApp::start().await;
    app.set_faults(InjectedFaults { refuse_recipient: Some(451), ..InjectedFaults::default() });
    request(&app, Uuid::new_v4(), mail(AccountMailKind::ResetPassword, 7)).await;
    app.send().await;
    let rows: Vec<String> =
        sqlx::query_scalar("select to_jsonb(q)::text from jobs.queue q").fetch_all(app.pool()).await.unwrap();
    assert!(rows.len() == 1 && rows[0].contains("451"), "{rows:?}");
    for personal in ["ani", "@", TOKEN] {
        assert!(!rows[0].contains(personal), "{rows:?}");
    }
}
