//! How a shop is to run.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Ports, Routes, Service};
use crate::settings::Settings;
use crate::{Result, root};
use dev_servers::folder;

/// How to run the shop: which programs, where, with which settings.
#[derive(Debug)]
pub struct ShopOptions {
    /// The variables from which those of each process are made.
    pub settings: Settings,
    /// The ports on which everything listens.
    pub ports: Ports,
    /// Detours between them.
    pub routes: Routes,
    /// The folder with the programs of the services.
    pub programs: PathBuf,
    /// The folder with the gateway's template.
    pub gateway: PathBuf,
    /// What is not started, of what the shop does without.
    pub without: Vec<Service>,
    /// More settings of a private `PostgreSQL`, each `name=value`.
    pub postgres_settings: Vec<&'static str>,
    /// The folder with all that outlives a process: databases, logs, identities.
    pub data: PathBuf,
    /// A `PostgreSQL` that runs already, where this user may make databases; a private one if absent.
    pub postgres: Option<String>,
    /// Whether the processes live in groups of their own, with their identities on disk: so that Ctrl-C reaches this
    /// process alone, and so that a later run finds what a killed one left.
    pub detached: bool,
    /// Removed when the shop is dropped.
    pub temporary: Option<TempDir>,
}

impl ShopOptions {
    /// For a test: free ports, a temporary folder, and nothing from the environment.
    pub fn for_test(postgres: Option<String>) -> Result<Self> {
        let temporary = folder::temporary(None)?;
        let prefix = format!("shop_{:08x}", rand::random::<u32>());
        let databases = Service::SERVICES.into_iter().filter_map(Service::database);
        let settings = databases.fold(Settings::default(), |settings, variable| {
            let name = format!("{prefix}_{}", settings.get(variable));
            settings.with(variable, name)
        });
        Ok(Self {
            settings,
            ports: Ports::free()?,
            routes: Routes::default(),
            programs: root::programs()?,
            gateway: root::find()?.join("nginx"),
            without: Vec::new(),
            postgres_settings: Vec::new(),
            data: temporary.path().to_owned(),
            postgres,
            detached: false,
            temporary: Some(temporary),
        })
    }

    /// For a person: the ports of the settings, and data that stays.
    pub fn for_person(data: PathBuf, settings: Settings) -> Result<Self> {
        Ok(Self {
            ports: Ports::of_settings(&settings)?,
            routes: Routes::default(),
            settings,
            programs: root::programs()?,
            gateway: root::find()?.join("nginx"),
            without: Vec::new(),
            postgres_settings: Vec::new(),
            data,
            postgres: None,
            detached: true,
            temporary: None,
        })
    }

    /// The programs that are started.
    pub(super) fn started(&self) -> Vec<Service> {
        Service::ALL.into_iter().filter(|service| !self.without.contains(service)).collect()
    }

    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.data.join("logs").join(format!("{name}.log"))
    }

    pub(super) fn pid_file(&self, name: &str) -> Option<PathBuf> {
        self.detached.then(|| pid_file(&self.data, name))
    }
}

/// Where the identity of a process is kept.
pub fn pid_file(data: &Path, name: &str) -> PathBuf {
    data.join("run").join(format!("{name}.pid"))
}
