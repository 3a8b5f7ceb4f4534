//! user-service: how a customer is reached, and what an e-mail about an account says.

use chassis::{
    BoxError, ServiceContext,
    grpc::{Peer, PeerChannel},
};
use contracts::{
    UserId,
    grpc::user::{
        self, GetAccountMailRequest, GetAccountMailResponse, GetContactRequest,
        user_service_client::UserServiceClient,
    },
};
use time::OffsetDateTime;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::domain::{AccountMail, AccountMailKind, Contact};

#[derive(Debug, Clone)]
pub struct Users {
    client: UserServiceClient<PeerChannel>,
}

impl Users {
    /// Starts to resolve the address of user-service. Nothing is connected before the first call.
    ///
    /// # Errors
    /// If the URL is none.
    pub fn follow(url: &str, context: &ServiceContext) -> Result<Self, BoxError> {
        let peer = Peer::follow(url, &context.common.internal_secret, &context.lifecycle)?;
        Ok(Self { client: UserServiceClient::new(peer.channel()) })
    }

    /// How the owner of an account is reached now; `None` if there is no such account.
    ///
    /// # Errors
    /// If user-service does not answer.
    pub async fn find_contact(&self, user_id: UserId) -> Result<Option<Contact>, Status> {
        let request = GetContactRequest { user_id: user_id.to_u64() };
        match self.client.clone().get_contact(request).await {
            Ok(reply) => {
                let contact = reply.into_inner();
                let phone = Some(contact.phone).filter(|phone| !phone.is_empty());
                Ok(Some(Contact { name: contact.name, email: contact.email, phone }))
            }
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(status),
        }
    }

    /// Whose account an e-mail is about, and what it says; `None` if there is nothing to send any more.
    ///
    /// # Errors
    /// If user-service does not answer, or with something that only a later version knows.
    pub async fn find_account_mail(&self, id: Uuid) -> Result<Option<(UserId, AccountMail)>, Status> {
        let request = GetAccountMailRequest { mail_id: id.to_string() };
        match self.client.clone().get_account_mail(request).await {
            Ok(reply) => account_mail(id, reply.into_inner()).map(Some),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(status),
        }
    }
}

fn account_mail(id: Uuid, reply: GetAccountMailResponse) -> Result<(UserId, AccountMail), Status> {
    let unreadable =
        |member: &str| Status::unimplemented(format!("user-service answered with another {member}"));
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let owner = reply.user_id.try_into().map_err(|_| unreadable("user_id"))?;
    let mail = AccountMail {
        id,
        kind: kind(reply.kind()).ok_or_else(|| unreadable("kind"))?,
        name: reply.name,
        email: reply.email,
        token: some(reply.token).map(Into::into),
        requested_at: OffsetDateTime::from_unix_timestamp(reply.requested_at)
            .map_err(|_| unreadable("requested_at"))?,
        device: some(reply.device),
    };
    Ok((owner, mail))
}

const fn kind(kind: user::AccountMailKind) -> Option<AccountMailKind> {
    match kind {
        user::AccountMailKind::UnknownMail => None,
        user::AccountMailKind::VerifyEmail => Some(AccountMailKind::VerifyEmail),
        user::AccountMailKind::ResetPassword => Some(AccountMailKind::ResetPassword),
        user::AccountMailKind::ConfirmEmail => Some(AccountMailKind::ConfirmEmail),
        user::AccountMailKind::EmailChanged => Some(AccountMailKind::EmailChanged),
        user::AccountMailKind::NewLogin => Some(AccountMailKind::NewLogin),
    }
}
