//! Words that were given up stay gone: see crates/GLOSSARY.md.

use std::path::{Path, PathBuf};

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
    for file in files(&root) {
        let name = file.strip_prefix(&root).unwrap().display().to_string();
        if name.ends_with("documents/words.rs") {
            continue;
        }
        for (number, line) in std::fs::read_to_string(&file).unwrap().lines().enumerate() {
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

/// The text files of the project that people write.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut files = vec![root.join("README.md"), root.join("Makefile"), root.join("Cargo.toml")];
    for folder in ["crates", "migrations", "nginx", "proto", ".github"] {
        collect(&root.join(folder), &mut files);
    }
    files
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let is_text = path.extension().is_some_and(|extension| {
            ["rs", "md", "sql", "lua", "toml", "template", "sh", "proto", "html", "js"]
                .contains(&extension.to_str().unwrap_or_default())
        });
        if path.is_dir() {
            collect(&path, files);
        } else if is_text {
            files.push(path);
        }
    }
}
