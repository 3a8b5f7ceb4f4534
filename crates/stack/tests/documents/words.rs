//! Words that were given up stay gone: see crates/GLOSSARY.md.

use std::path::{Path, PathBuf};

use crate::support;

/// Each with what it is called instead. A word counts in any case and as a part of a name (`wish` in `new_wish`), but
/// not inside another word.
const RETIRED: [(&str, &str); 44] = [
    ("wish", "request or command"),
    ("wishes", "requests or commands"),
    ("hears", "consumes"),
    ("heard", "consumed, or observed"),
    ("tells", "publishes, or says"),
    ("news", "observation or event"),
    ("given_back", "refunded or returned"),
    ("keep_house", "maintenance"),
    ("housekeeping", "maintenance"),
    ("forget_old", "purge"),
    ("forgets", "purges"),
    ("forgotten", "purged"),
    ("rescue", "reconcile"),
    ("trouble", "JobError, failure"),
    ("lane", "StreamWorker"),
    ("crew", "shared state"),
    ("haul", "batch"),
    ("verdict", "RetryDecision"),
    ("desk", "HandlerContext"),
    ("bury", "dead_letter"),
    ("buried", "dead"),
    ("buries", "gives up"),
    ("outage", "Reconnect"),
    ("weather", "FaultInjection"),
    ("kit", "ServiceContext"),
    ("twin", "concurrent duplicate"),
    ("twins", "concurrent duplicates"),
    ("restless", "TooManyConflicts"),
    ("shelf", "StockLevel"),
    ("shelves", "stock levels"),
    ("article", "ProductSummary"),
    ("articles", "product summaries"),
    ("too_dear", "TotalTooLarge"),
    ("dear", "expensive"),
    ("asker", "Requester"),
    ("mend", "fix"),
    ("mends", "fixes"),
    ("teller", "Reporter"),
    ("patience", "Poller"),
    ("jakarta", "wib"),
    ("at_once_again", "RETRY_SOON"),
    ("announce", "publish"),
    ("announces", "publishes"),
    ("look_after", "reconcile"),
];

#[test]
fn words_that_were_given_up_stay_gone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    for (file, text) in files(&root) {
        let name = file.strip_prefix(&root).unwrap().display().to_string();
        if name.ends_with("documents/words.rs") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let words = split_camel_case(line);
            for (retired, instead) in RETIRED {
                if contains_word(&words, retired) {
                    found.push(format!("{name}:{}: `{retired}`, say {instead}", number + 1));
                }
            }
        }
    }
    assert!(found.is_empty(), "{} retired words:\n{}", found.len(), found.join("\n"));
}

/// `keepHouse` and `KeepHouse` as `keep_house`, all lower case.
fn split_camel_case(line: &str) -> String {
    let mut words = String::with_capacity(line.len() + 8);
    let mut after_lower = false;
    for letter in line.chars() {
        if letter.is_ascii_uppercase() && after_lower {
            words.push('_');
        }
        after_lower = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        words.push(letter.to_ascii_lowercase());
    }
    words
}

/// Whether the word is there with no letter before or after it.
fn contains_word(text: &str, word: &str) -> bool {
    let is_letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphabetic);
    text.match_indices(word).any(|(start, _)| {
        let bytes = text.as_bytes();
        !is_letter(start.checked_sub(1).and_then(|before| bytes.get(before)))
            && !is_letter(bytes.get(start + word.len()))
    })
}

/// The text files of the project that people write, with their texts.
fn files(root: &Path) -> Vec<(PathBuf, String)> {
    let endings = ["rs", "md", "sql", "lua", "toml", "template", "sh", "proto", "html", "js"];
    let single = ["README.md", "Makefile", "Cargo.toml"].map(|name| root.join(name));
    let single = single.into_iter().map(|path| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path, text)
    });
    let folders = ["crates", "migrations", "nginx", "proto", ".github"];
    single.chain(folders.iter().flat_map(|folder| support::files(&root.join(folder), &endings))).collect()
}
