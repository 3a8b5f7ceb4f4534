//! Who listens where, and how two shops on one machine keep apart.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::settings::{Settings, parse};
use crate::{Error, Result};
use dev_servers::ports;

use super::{End, Service};

/// Where the ports begin; those of another shop on the same machine begin a multiple of `STEP` later.
pub const USUAL_BASE: u16 = 8080;
const STEP: u16 = 100;
/// As many shops as a person may have at once.
const SHOPS: u16 = 20;
/// How far behind the base the ports of the servers are. One service has the same distance for HTTP, on a base of its
/// own, and for gRPC.
const SERVICES: [u16; 9] = [1, 2, 3, 4, 5, 6, 7, 10, 11];
const GRPC: u16 = 1000;
const POSTGRES: u16 = 7352;
const REDIS: u16 = 8299;

/// Who listens where, all on 127.0.0.1.
#[derive(Debug, Clone)]
pub struct Ports {
    /// The gateway's port, to which customers come.
    pub gateway: u16,
    /// The port of the private `PostgreSQL`.
    pub postgres: u16,
    /// The port of the private Redis.
    pub redis: u16,
    http: [u16; 9],
    grpc: [u16; 9],
}

impl Ports {
    /// What the settings say: `GATEWAY_PORT`, `STACK_POSTGRES_PORT` and `STACK_REDIS_PORT`, and for all others
    /// `STACK_PORT_BASE`.
    ///
    /// # Errors
    /// If one of them is no port, or none is left above the base.
    pub fn of_settings(settings: &Settings) -> Result<Self> {
        let base = settings.port("STACK_PORT_BASE")?.unwrap_or(USUAL_BASE);
        let after = |distance: u16| {
            let port = base.checked_add(distance);
            port.ok_or_else(|| Error::other(format!("STACK_PORT_BASE={base} leaves too few ports above it")))
        };
        let chosen = |name, distance| settings.port(name)?.map_or_else(|| after(distance), Ok);
        let (mut http, mut grpc) = ([0; 9], [0; 9]);
        for (index, distance) in SERVICES.into_iter().enumerate() {
            (http[index], grpc[index]) = (after(distance)?, after(GRPC + distance)?);
        }
        Ok(Self {
            gateway: chosen("GATEWAY_PORT", 0)?,
            postgres: chosen("STACK_POSTGRES_PORT", POSTGRES)?,
            redis: chosen("STACK_REDIS_PORT", REDIS)?,
            http,
            grpc,
        })
    }

    /// Ports that are free now.
    ///
    /// # Errors
    /// If there are too few.
    pub fn free() -> Result<Self> {
        let (mut http, mut grpc) = ([0; 9], [0; 9]);
        for port in http.iter_mut().chain(&mut grpc) {
            *port = ports::free()?;
        }
        Ok(Self { gateway: ports::free()?, postgres: ports::free()?, redis: ports::free()?, http, grpc })
    }

    /// The same shop with one more process of this service, on ports that are free now.
    pub(super) fn with_replica(&self, service: Service) -> Result<Self> {
        let mut ports = self.clone();
        ports.http[service as usize] = ports::free()?;
        ports.grpc[service as usize] = ports::free()?;
        Ok(ports)
    }

    /// Where a service answers HTTP, past the gateway.
    pub fn http(&self, service: Service) -> u16 {
        self.http[service as usize]
    }

    /// Where a service answers gRPC, if it does.
    pub fn grpc(&self, service: Service) -> u16 {
        self.grpc[service as usize]
    }

    /// Where a process listens to the others: gRPC, where a service has it.
    pub fn of(&self, end: End) -> u16 {
        match end {
            End::Gateway => self.gateway,
            End::Redis => self.redis,
            End::Postgres => self.postgres,
            End::Service(service) if service.answers_grpc() => self.grpc(service),
            End::Service(service) => self.http(service),
        }
    }

    /// Where the mailbox takes mails, at the distance at which the others answer gRPC.
    pub fn smtp(&self) -> u16 {
        self.grpc(Service::Mailbox)
    }

    /// All of them, each with what listens there.
    fn all(&self) -> Vec<(&'static str, u16)> {
        let own = [("the gateway", self.gateway), ("PostgreSQL", self.postgres), ("Redis", self.redis)];
        let http = Service::ALL.map(|service| (service.name(), self.http(service)));
        let grpc = Service::SIX.into_iter().filter(|service| service.answers_grpc());
        let grpc = grpc.map(|service| (service.name(), self.grpc(service)));
        own.into_iter().chain(http).chain(grpc).chain([("mailbox", self.smtp())]).collect()
    }
}

/// Adds a `STACK_PORT_BASE` to the settings with which all ports are free, unless they have one. The ports are this
/// process' own from then on, whoever else looks for some.
///
/// # Errors
/// If a port is taken that cannot be another one; the message names it and who was to listen there.
pub fn settle(settings: Settings) -> Result<Settings> {
    let mut taken = Vec::new();
    let bases = match settings.port("STACK_PORT_BASE")? {
        Some(base) => vec![base],
        None => (0..SHOPS).map(|shop| USUAL_BASE + shop * STEP).collect(),
    };
    for base in bases {
        let settled = settings.clone().with("STACK_PORT_BASE", base.to_string());
        let all = Ports::of_settings(&settled)?.all();
        let others = ports::take(&all.iter().map(|(_, port)| *port).collect::<Vec<_>>())?;
        if others.is_empty() {
            return Ok(settled);
        }
        let others = all.into_iter().filter(|(_, port)| others.contains(port));
        taken = others.map(|(name, port)| format!("{port} ({name})")).collect();
    }
    Err(Error::other(format!(
        "another program listens on port {}. `ss -ltnp` (as root) shows which one: stop it, or choose other ports with \
         GATEWAY_PORT, STACK_POSTGRES_PORT, STACK_REDIS_PORT, or STACK_PORT_BASE for all others",
        taken.join(", ")
    )))
}

/// The variables that say where a shop listens.
const VARIABLES: [&str; 4] = ["STACK_PORT_BASE", "GATEWAY_PORT", "STACK_POSTGRES_PORT", "STACK_REDIS_PORT"];

fn file(data: &Path) -> PathBuf {
    data.join("run/ports")
}

/// Writes down where the shop on this folder listens, for [`find`].
///
/// # Errors
/// If the file cannot be written.
pub fn keep(settings: &Settings, data: &Path) -> Result<()> {
    let lines = VARIABLES.map(|name| format!("{name}={}\n", settings.get(name))).concat();
    std::fs::write(file(data), lines).map_err(Error::io(format!("write {}", file(data).display())))
}

/// The settings with the ports of the shop that runs on this folder; as they are if none does.
///
/// # Errors
/// If the file that says so cannot be read.
pub fn find(settings: Settings, data: &Path) -> Result<Settings> {
    match std::fs::read_to_string(file(data)) {
        Ok(text) => Ok(parse(&text)?.into_iter().fold(settings, |all, (name, value)| all.with(&name, value))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(settings),
        Err(error) => Err(Error::io(format!("read {}", file(data).display()))(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_ports_follow_the_base_but_for_those_that_are_chosen() {
        let usual = Ports::of_settings(&Settings::default()).unwrap();
        assert_eq!([usual.gateway, usual.postgres, usual.redis], [8080, 15_432, 16_379]);
        assert_eq!(usual.http, [8081, 8082, 8083, 8084, 8085, 8086, 8087, 8090, 8091]);
        assert_eq!(usual.grpc, [9081, 9082, 9083, 9084, 9085, 9086, 9087, 9090, 9091]);
        let moved = Settings::default().with("STACK_PORT_BASE", "20000").with("GATEWAY_PORT", "80");
        let moved = Ports::of_settings(&moved).unwrap();
        assert_eq!(
            [moved.gateway, moved.postgres, moved.http[0], moved.grpc[0]],
            [80, 27_352, 20_001, 21_001]
        );
        for base in ["65000", "0x1", "-1", "65536"] {
            let settings = Settings::default().with("STACK_PORT_BASE", base);
            assert!(
                Ports::of_settings(&settings).unwrap_err().to_string().contains("STACK_PORT_BASE"),
                "{base}"
            );
        }
    }

    #[test]
    fn a_shop_moves_as_a_whole_where_one_port_is_taken() {
        let first = settle(Settings::default()).unwrap();
        let second = settle(Settings::default()).unwrap();
        assert_ne!(first.get("STACK_PORT_BASE"), second.get("STACK_PORT_BASE"));
        let neighbour = TcpListener::bind("127.0.0.1:0").unwrap();
        let chosen = neighbour.local_addr().unwrap().port().to_string();
        let refused = settle(Settings::default().with("GATEWAY_PORT", &chosen)).unwrap_err().to_string();
        assert!(refused.contains(&format!("{chosen} (the gateway)")), "{refused}");
        let refused = settle(second).unwrap_err().to_string();
        assert!(refused.contains("(Redis)"), "a base that was chosen is kept: {refused}");
    }
}
