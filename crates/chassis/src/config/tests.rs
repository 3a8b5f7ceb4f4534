use std::ffi::OsString;

use clap::Command;

use super::*;

#[derive(Debug, Clone, Args)]
struct Config {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    database: Database,
}

impl Configuration for Config {
    fn common(&self) -> &Common {
        &self.common
    }

    fn database(&self) -> Option<(&Database, &str)> {
        Some((&self.database, "db"))
    }
}

fn read(arguments: &[&str]) -> Result<Config, String> {
    let command = Config::augment_args(Command::new("test"));
    let all = std::iter::once("test").chain(arguments.iter().copied());
    parse::<Config>(command, all.map(OsString::from).collect()).map_err(|errors| errors.to_string())
}

const DEVELOPMENT: [&str; 7] = [
    "--app-env=development",
    "--http-addr=127.0.0.1:1",
    "--jwt-secret=a",
    "--internal-secret=b",
    "--db-host=localhost",
    "--db-user=shop",
    "--db-password=c",
];

const PRODUCTION: [&str; 8] = [
    "--http-addr=127.0.0.1:1",
    "--jwt-secret=50b84b7af9bfe49a2cffb5d07e81ddb9fd86a78a30d8e8c5",
    "--internal-secret=3f1ab5e15bc2c4d40b8ac0f1a7c9e6f2d7a1a3f0c49d3b6e",
    "--redis-password=8d0e5d7a9b36cf1b2f4469c9d8a1e7f0b35ce2a14bd9d6f7",
    "--db-host=localhost",
    "--db-user=shop",
    "--db-password=c7e4b1d92a5f4c36b0f8d19a6e2b47d3f51c9a8e0b3d6f24",
    "--public-url=https://shop.example",
];

/// What is wrong with the settings of production, some of them replaced.
fn production(changed: &[&str]) -> String {
    let name = |flag: &str| flag.split_once('=').map(|(name, _)| name.to_owned());
    let kept = PRODUCTION.into_iter().filter(|flag| changed.iter().all(|other| name(other) != name(flag)));
    let arguments: Vec<&str> = kept.chain(changed.iter().copied()).collect();
    read(&arguments).err().unwrap_or_default()
}

#[test]
fn a_whole_configuration_is_read() {
    assert_eq!(read(&DEVELOPMENT).unwrap().database.db_port, 5432);
    assert_eq!(read(&PRODUCTION).unwrap().common.app_env, AppEnv::Production, "unless it says otherwise");
}

#[test]
fn every_fault_is_reported_at_once() {
    let errors = read(&["--http-addr=x", "--db-port=99999", "--redis-port=-1"]).unwrap_err();
    for name in ["http-addr", "db-port", "redis-port", "JWT_SECRET", "DB_HOST", "DB_USER"] {
        assert!(errors.contains(name), "{name} is not in: {errors}");
    }
}

#[test]
fn production_refuses_weak_secrets_all_at_once() {
    let errors = production(&[
        "--jwt-secret=short",
        "--jwt-secret-previous=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "--internal-secret=local-development-internal-secret-change-me",
        "--internal-secret-previous=0123456789abcdef0123456789abcdef",
        "--redis-password=passwordpasswordpasswordpassword1",
        "--db-password=shop-local-password",
        "--public-url=http://shop.example",
    ]);
    for fault in [
        "7 fault(s)",
        "JWT_SECRET is shorter",
        "JWT_SECRET_PREVIOUS repeats",
        "INTERNAL_SECRET is the example",
        "INTERNAL_SECRET_PREVIOUS repeats",
        "REDIS_PASSWORD repeats",
        "DB_PASSWORD is the example",
        "PUBLIC_URL does not begin with https",
    ] {
        assert!(errors.contains(fault), "{fault} is not in: {errors}");
    }
    assert!(production(&["--redis-password="]).contains("REDIS_PASSWORD is empty"));
    assert!(read(&PRODUCTION[..7]).unwrap_err().contains("PUBLIC_URL"), "its default is not https");
}

#[test]
fn production_refuses_one_secret_in_two_places() {
    let secret = PRODUCTION[1].split_once('=').unwrap().1;
    for name in ["internal-secret", "redis-password", "db-password", "jwt-secret-previous"] {
        let errors = production(&[&format!("--{name}={secret}")]);
        assert!(errors.contains("1 fault(s)") && errors.contains("the same as JWT_SECRET"), "{errors}");
        assert!(!errors.contains(secret));
    }
}

#[test]
fn origins_and_networks_are_checked() {
    let fault = |flag: String| read(&[&DEVELOPMENT[..], &[&flag]].concat()).err().unwrap_or_default();
    for origin in ["https://a.example", "http://localhost:3000, https://b.example:8443"] {
        assert_eq!(fault(format!("--cors-allowed-origins={origin}")), "");
    }
    for origin in ["*", "null", "https://a.example/", "https://a.example:443", "ftp://a.example", "a.example"]
    {
        assert!(fault(format!("--cors-allowed-origins={origin}")).contains("CORS_ALLOWED_ORIGINS has"));
    }
    for proxies in ["192.0.2.1, 10.0.0.0/8", "2001:db8::/32", "::1"] {
        assert_eq!(fault(format!("--trusted-proxies={proxies}")), "");
    }
    for proxies in ["proxy.example", "10.0.0.0/33", "10.0.0.0/8/8"] {
        assert!(fault(format!("--trusted-proxies={proxies}")).contains("TRUSTED_PROXIES has"));
    }
}
