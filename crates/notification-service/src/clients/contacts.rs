//! user-service: how a customer is reached.

use chassis::{
    BoxError, ServiceContext,
    grpc::{Peer, PeerChannel},
};
use contracts::{
    UserId,
    grpc::user::{GetContactRequest, user_service_client::UserServiceClient},
};
use tonic::{Code, Status};

use crate::domain::Contact;

#[derive(Debug, Clone)]
pub struct Contacts {
    client: UserServiceClient<PeerChannel>,
}

impl Contacts {
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
    pub async fn find(&self, user_id: UserId) -> Result<Option<Contact>, Status> {
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
}
