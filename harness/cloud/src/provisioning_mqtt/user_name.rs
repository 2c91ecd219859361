//! Who a CONNECT is from.

use crate::mqtt::Connect;

/// Who a CONNECT is from, by its user name
/// `{idScope}/registrations/{registrationId}/api-version={version}[&...]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// The ID scope.
    pub(crate) id_scope: String,
    /// The registration id.
    pub(crate) registration_id: String,
    /// The version of the API.
    pub(crate) api_version: String,
}

/// Why a CONNECT says not whom it is from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UserNameError {
    /// The user name is not `<ID scope>/registrations/<registration id>/api-version=<version>`.
    #[error(
        "the user name is not `<ID scope>/registrations/<registration id>/api-version=<version>`"
    )]
    Form,
    /// The client id is {client_id:?}, the registration id of the user name is {registration_id:?}.
    #[error(
        "the client id is {client_id:?}, the registration id of the user name is {registration_id:?}"
    )]
    ClientId {
        /// The client id.
        client_id: String,
        /// The user name's registration id.
        registration_id: String,
    },
}

/// Whether the CONNECT is for a provisioning service, by its user name.
pub(crate) fn is_registration(connect: &Connect) -> bool {
    let user_name = connect.user_name.as_deref().unwrap_or_default();
    user_name.contains("/registrations/")
}

impl Client {
    /// Reads a CONNECT.
    pub(crate) fn of(connect: &Connect) -> Result<Self, UserNameError> {
        let user_name = connect.user_name.as_deref().unwrap_or_default();
        let mut parts = user_name.splitn(4, '/');
        let mut next = || parts.next().filter(|part| !part.is_empty());
        let (Some(id_scope), Some("registrations"), Some(registration_id), Some(parameters)) =
            (next(), next(), next(), next())
        else {
            return Err(UserNameError::Form);
        };
        // Some clients write the parameters as a query.
        let parameters = parameters.strip_prefix('?').unwrap_or(parameters);
        let api_version = parameters
            .split('&')
            .find_map(|pair| pair.strip_prefix("api-version="))
            .filter(|version| !version.is_empty())
            .ok_or(UserNameError::Form)?;
        if connect.client_id != registration_id {
            return Err(UserNameError::ClientId {
                client_id: connect.client_id.clone(),
                registration_id: registration_id.to_owned(),
            });
        }
        Ok(Self {
            id_scope: id_scope.to_owned(),
            registration_id: registration_id.to_owned(),
            api_version: api_version.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::mqtt::CleanSession;

    fn connect(user_name: &str) -> Connect {
        Connect {
            client_id: "az-1".into(),
            session: CleanSession::Yes,
            keep_alive: 0,
            will: None,
            user_name: Some(user_name.into()),
            password: None,
        }
    }

    #[rstest]
    #[case("0ne/registrations/az-1/api-version=2019-03-31&ClientVersion=a%2Fb")]
    #[case("0ne/registrations/az-1/ClientVersion=a/b&api-version=2019-03-31")]
    #[case("0ne/registrations/az-1/?api-version=2019-03-31")]
    fn clients(#[case] user_name: &str) {
        let expected = Client {
            id_scope: "0ne".into(),
            registration_id: "az-1".into(),
            api_version: "2019-03-31".into(),
        };
        assert!(is_registration(&connect(user_name)));
        assert_eq!(Client::of(&connect(user_name)), Ok(expected));
    }

    #[rstest]
    #[case("")]
    #[case("0ne/registrations/az-1")]
    #[case("0ne/registrations/az-1/api-version=")]
    #[case("/registrations/az-1/api-version=1")]
    #[case("hub/az-1/?api-version=1")]
    fn others(#[case] user_name: &str) {
        assert_eq!(Client::of(&connect(user_name)), Err(UserNameError::Form));
    }

    #[test]
    fn the_client_id_is_the_registration_id() {
        let error = Client::of(&connect("0ne/registrations/b/api-version=1")).unwrap_err();
        assert!(matches!(error, UserNameError::ClientId { .. }));
    }
}
