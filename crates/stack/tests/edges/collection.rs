//! Reads `crates/requests.http`: the part of the REST Client's format that it uses.

use std::collections::BTreeMap;

use serde_json::Value;

/// A file of requests, and what has been answered so far.
pub struct Collection {
    pub requests: Vec<Written>,
    variables: BTreeMap<String, String>,
    replies: BTreeMap<String, Value>,
}

/// A request as it is written, with its placeholders.
#[derive(Default)]
pub struct Written {
    pub name: Option<String>,
    /// The status that it says it gets.
    pub status: u16,
    /// A member of the reply, and the value it has in the end.
    pub once: Option<(String, String)>,
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Collection {
    /// Reads a file, for a shop at `host`; `$timestamp` is what the file's variable of that name stands for.
    pub fn read(text: &str, host: &str, timestamp: &str) -> Self {
        let (mut requests, mut variables) = (Vec::new(), BTreeMap::new());
        for block in text.split("\n###") {
            // What follows the hashes on their own line is a title.
            let lines = block.lines().skip(1).map(str::trim);
            for line in lines.clone().filter_map(|line| line.strip_prefix('@')) {
                let (name, value) = line.split_once('=').unwrap();
                variables.insert(name.trim().to_owned(), value.trim().to_owned());
            }
            requests.extend(Written::read(lines.filter(|line| !line.starts_with('@'))));
        }
        variables.insert("host".to_owned(), host.to_owned());
        variables.insert("$timestamp".to_owned(), timestamp.to_owned());
        Self { requests, variables, replies: BTreeMap::new() }
    }

    /// Keeps a reply for the requests that refer to it.
    pub fn keep(&mut self, name: &str, reply: Value) {
        self.replies.insert(name.to_owned(), reply);
    }

    /// Text with every placeholder filled in.
    pub fn fill(&self, text: &str) -> String {
        let Some((before, rest)) = text.split_once("{{") else { return text.to_owned() };
        let (name, after) = rest.split_once("}}").unwrap();
        format!("{before}{}{}", self.value(name), self.fill(after))
    }

    fn value(&self, name: &str) -> String {
        if let Some(variable) = self.variables.get(name) {
            return self.fill(variable);
        }
        let (request, path) = name.split_once(".response.body.").unwrap_or_else(|| panic!("what is {name}?"));
        let reply =
            self.replies.get(request).unwrap_or_else(|| panic!("{request} is used before it is sent"));
        found(reply, path).unwrap_or_else(|| panic!("no {path} in {reply}"))
    }
}

impl Written {
    fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut request = Self::default();
        let mut lines = lines.skip_while(|line| line.is_empty());
        for line in lines.by_ref() {
            if let Some(comment) = line.strip_prefix("# ") {
                request.note(comment);
            } else if let Some((method, url)) = line.split_once(' ') {
                (request.method, request.url) = (method.to_owned(), url.to_owned());
                break;
            }
        }
        let headers = lines.by_ref().take_while(|line| !line.is_empty());
        let headers = headers.map(|line| line.split_once(": ").unwrap());
        request.headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        request.body.push_str(lines.collect::<Vec<_>>().join("\n").trim());
        (!request.method.is_empty()).then_some(request)
    }

    /// A comment that says something: `@name login`, `200`, or `200 once $.status = PAID`.
    fn note(&mut self, comment: &str) {
        if let Some(name) = comment.strip_prefix("@name ") {
            self.name = Some(name.to_owned());
        }
        let (status, rest) = comment.split_once(' ').unwrap_or((comment, ""));
        if let Ok(status) = status.parse() {
            self.status = status;
            let once = rest.strip_prefix("once ").and_then(|rest| rest.split_once(" = "));
            self.once = once.map(|(path, value)| (path.to_owned(), value.to_owned()));
        }
    }
}

/// What is at `$.a[0].b`, as text.
pub fn found(reply: &Value, path: &str) -> Option<String> {
    let pointer = path.trim_start_matches('$').replace('[', ".").replace(']', "").replace('.', "/");
    reply.pointer(&pointer).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}
