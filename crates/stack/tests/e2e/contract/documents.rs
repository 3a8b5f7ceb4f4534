//! The six OpenAPI documents, as the gateway shows them.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;
use stack::shop::Service;

use crate::harness::{Answer, NOBODY, Open};

const METHODS: [&str; 5] = ["get", "post", "put", "delete", "patch"];

pub struct Operation {
    pub service: Service,
    pub method: String,
    /// The path with its parameters in braces.
    pub path: String,
    spec: Value,
    document: Arc<Value>,
}

pub struct Documents(Vec<Operation>);

impl Documents {
    pub async fn read(open: &Open) -> Self {
        let mut operations = Vec::new();
        for service in Service::SERVICES {
            let name = service.name().trim_end_matches("-service");
            let line = format!("GET /{name}-docs/openapi.json");
            let document = Arc::new(open.ask(NOBODY, &line, Value::Null).await.is(200));
            for (path, item) in document["paths"].as_object().unwrap() {
                for method in METHODS.iter().filter(|method| item.get(**method).is_some()) {
                    operations.push(Operation {
                        service,
                        method: method.to_uppercase(),
                        path: path.clone(),
                        spec: item[*method].clone(),
                        document: Arc::clone(&document),
                    });
                }
            }
        }
        Self(operations)
    }

    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.0.iter()
    }

    /// The operation that a request is for. A path that is written out comes before one with a parameter.
    pub fn find(&self, method: &str, path: &str) -> Option<&Operation> {
        let fitting = self.0.iter().filter(|operation| operation.method == method && operation.fits(path));
        fitting.min_by_key(|operation| operation.path.matches('{').count())
    }

    /// The methods of a path as it stands in its document.
    pub fn methods(&self, path: &str) -> BTreeSet<&str> {
        self.0
            .iter()
            .filter(|operation| operation.path == path)
            .map(|operation| operation.method.as_str())
            .collect()
    }
}

impl Operation {
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub fn statuses(&self) -> BTreeSet<u16> {
        self.spec["responses"].as_object().unwrap().keys().map(|status| status.parse().unwrap()).collect()
    }

    pub fn success(&self) -> u16 {
        self.statuses().into_iter().find(|status| *status < 300).unwrap()
    }

    pub fn reads_token(&self) -> bool {
        self.spec["security"].is_array()
    }

    /// Whether it can be called without one.
    pub fn is_public(&self) -> bool {
        let ways = self.spec["security"].as_array();
        ways.is_none_or(|ways| ways.iter().any(|way| way.as_object().unwrap().is_empty()))
    }

    pub fn is_for_administrators(&self) -> bool {
        self.reads_token() && self.statuses().contains(&403)
    }

    /// The roles of the staff that may do what not everybody may.
    pub fn roles(&self) -> BTreeSet<&str> {
        let ways = self.spec["security"].as_array().into_iter().flatten();
        ways.flat_map(|way| way["token"].as_array().into_iter().flatten()).filter_map(Value::as_str).collect()
    }

    /// The roles of the staff that see everybody's, where a customer sees their own.
    pub fn sees_all(&self) -> BTreeSet<&str> {
        self.spec["x-sees-all"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// The name of the id in its path.
    pub fn id(&self) -> Option<&str> {
        Some(self.path.split_once('{')?.1.split_once('}')?.0)
    }

    /// Its parameters in `path`, `query` or `header`: name and schema.
    pub fn parameters(&self, place: &str) -> Vec<(&str, &Value)> {
        let all = self.spec["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let here = all.iter().filter(|parameter| parameter["in"] == place);
        here.map(|it| (it["name"].as_str().unwrap(), self.resolve(&it["schema"]))).collect()
    }

    pub fn body(&self) -> Option<&Value> {
        let schema = self.spec.pointer("/requestBody/content/application~1json/schema")?;
        Some(self.resolve(schema))
    }

    /// Whether the body must be there.
    pub fn needs_body(&self) -> bool {
        self.spec["requestBody"]["required"] == true
    }

    /// The schema behind a reference, and that of a member that may be null.
    pub fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.resolve(self.document.pointer(reference.trim_start_matches('#')).unwrap());
        }
        match schema["oneOf"].as_array() {
            Some(choice) => self.resolve(choice.iter().find(|one| one["type"] != "null").unwrap()),
            None => schema,
        }
    }

    fn fits(&self, path: &str) -> bool {
        let (ours, theirs) = (self.path.split('/'), path.split('/'));
        ours.clone().count() == theirs.clone().count()
            && ours
                .zip(theirs)
                .all(|(our, their)| our == their || (our.starts_with('{') && !their.is_empty()))
    }
}
