//! Rules for the settings that every service has.

use super::{AppEnv, Common, ConfigErrors, listed, network, origin};

impl Common {
    pub(super) fn check(&self, errors: &mut ConfigErrors) {
        self.check_secrets(errors);
        errors.require(
            self.logs.log_level.parse::<tracing_subscriber::EnvFilter>().is_ok(),
            "LOG_LEVEL is not a level or filter: use for example `info`",
        );
        self.check_public_url(errors);
        if let Some(endpoint) = &self.otel_exporter_otlp_endpoint {
            errors.require(
                endpoint.parse::<axum::http::Uri>().is_ok_and(|uri| uri.scheme().is_some()),
                "OTEL_EXPORTER_OTLP_ENDPOINT is not a URL: use for example `http://localhost:4317`",
            );
        }
        for text in listed(&self.cors_allowed_origins) {
            errors.require(
                origin(text).is_some(),
                format!(
                    "CORS_ALLOWED_ORIGINS has `{text}`, which is not an origin such as `https://shop.example`"
                ),
            );
        }
        for proxy in listed(&self.trusted_proxies) {
            errors.require(
                network(proxy).is_some(),
                format!("TRUSTED_PROXIES has `{proxy}`, which is neither an IP address nor a network such as `10.0.0.0/8`"),
            );
        }
    }

    fn check_secrets(&self, errors: &mut ConfigErrors) {
        let previous = [
            ("JWT_SECRET_PREVIOUS", &self.jwt_secret_previous),
            ("INTERNAL_SECRET_PREVIOUS", &self.internal_secret_previous),
        ];
        errors.check_secret(self.app_env, "JWT_SECRET", &self.jwt_secret);
        errors.check_secret(self.app_env, "INTERNAL_SECRET", &self.internal_secret);
        for (name, secret) in previous.into_iter().filter_map(|(name, secret)| Some((name, secret.as_ref()?)))
        {
            errors.check_secret(self.app_env, name, secret);
        }
        if self.app_env == AppEnv::Production {
            errors.check_secret(self.app_env, "REDIS_PASSWORD", &self.redis.redis_password);
        }
    }

    fn check_public_url(&self, errors: &mut ConfigErrors) {
        let is_url = self.public_url.parse::<axum::http::Uri>().is_ok_and(|uri| uri.authority().is_some());
        errors.require(
            is_url && !self.public_url.ends_with('/'),
            "PUBLIC_URL is not a base URL: use for example `https://shop.example`, without a slash at its end",
        );
        errors.require(
            self.app_env == AppEnv::Development || self.public_url.starts_with("https://"),
            "PUBLIC_URL does not begin with https://: passwords and tokens would be readable on their way",
        );
    }
}
