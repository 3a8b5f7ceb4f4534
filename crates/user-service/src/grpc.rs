//! What notification-service calls: how the owner of an account is reached.

use chassis::{Code, Problem};
use contracts::{
    UserId,
    grpc::user::{
        GetContactRequest, GetContactResponse,
        user_service_server::{UserService, UserServiceServer},
    },
};
use tonic::{Request, Response, Status, service::Routes};

use crate::{AppState, store::accounts};

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
}
