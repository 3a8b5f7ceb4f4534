//! What notification-service calls: how the owner of an account is reached, and what an e-mail says.

use chassis::{Code, Problem};
use contracts::{
    UserId,
    grpc::user::{
        AccountMailKind, GetAccountMailRequest, GetAccountMailResponse, GetContactRequest,
        GetContactResponse,
        user_service_server::{UserService, UserServiceServer},
    },
};
use tonic::{Request, Response, Status, service::Routes};

use uuid::Uuid;

use crate::{
    AppState,
    app::find_account_mail,
    domain::{MailKind, MailToken},
    store::accounts,
};

pub fn routes(state: &AppState) -> Routes {
    Routes::new(UserServiceServer::new(state.clone()))
}

#[tonic::async_trait]
impl UserService for AppState {
    async fn get_contact(
        &self,
        request: Request<GetContactRequest>,
    ) -> Result<Response<GetContactResponse>, Status> {
        let id = UserId::try_from(request.into_inner().user_id)
            .map_err(|error| Problem::invalid_field("user_id", error.to_string()))?;
        let mut db = self.db.acquire().await.map_err(Problem::from)?;
        let found = accounts::find_contact(&mut db, id).await.map_err(Problem::from)?;
        let contact = found.ok_or_else(|| Problem::new(Code::NotFound, "There is no such account."))?;
        let phone = contact.phone.unwrap_or_default();
        Ok(Response::new(GetContactResponse { name: contact.name, email: contact.email, phone }))
    }

    async fn get_account_mail(
        &self,
        request: Request<GetAccountMailRequest>,
    ) -> Result<Response<GetAccountMailResponse>, Status> {
        let id: Uuid = request
            .into_inner()
            .mail_id
            .parse()
            .map_err(|_| Problem::invalid_field("mail_id", "must be a UUID"))?;
        let found = find_account_mail(self, id).await.map_err(Problem::from)?;
        let (mail, token) =
            found.ok_or_else(|| Problem::new(Code::NotFound, "There is nothing to send any more."))?;
        Ok(Response::new(GetAccountMailResponse {
            user_id: mail.user_id.to_u64(),
            kind: kind(mail.kind).into(),
            name: mail.name,
            email: mail.email,
            token: token.map(MailToken::into_text).unwrap_or_default(),
            requested_at: mail.requested_at.unix_timestamp(),
            device: mail.device.unwrap_or_default(),
        }))
    }
}

const fn kind(kind: MailKind) -> AccountMailKind {
    match kind {
        MailKind::VerifyEmail => AccountMailKind::VerifyEmail,
        MailKind::ResetPassword => AccountMailKind::ResetPassword,
        MailKind::ConfirmEmail => AccountMailKind::ConfirmEmail,
        MailKind::EmailChanged => AccountMailKind::EmailChanged,
        MailKind::NewLogin => AccountMailKind::NewLogin,
    }
}
