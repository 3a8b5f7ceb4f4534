//! The one rule of a change: what was committed still holds. A field or value may only go if its number and its name
//! are reserved, so that neither ever means something else.

use crate::facts::Facts;

/// Why peers of the committed interface could not talk to the present one; empty if they can.
pub fn breaks(committed: &Facts, present: &Facts) -> Vec<String> {
    let lost = committed.iter().filter(|(what, shape)| present.get(*what) != Some(*shape));
    let lost = lost.filter(|(what, shape)| !retired(what, shape, present));
    lost.map(|(what, shape)| match present.get(what) {
        Some(now) => format!("{what}: was `{shape}`, is `{now}`"),
        None => format!("{what}: was `{shape}`, is gone"),
    })
    .collect()
}

/// Whether a field or value that is gone can never come back as another.
fn retired(what: &str, shape: &str, present: &Facts) -> bool {
    let Some((owner, number)) = what.split_once(' ') else { return false };
    let name = shape.rsplit(' ').next().unwrap_or_default();
    let reserved = |what: &str| present.contains_key(&format!("{owner} reserved {what}"));
    !present.contains_key(what) && reserved(number) && reserved(name)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use protox::file::{File, FileResolver};

    use super::breaks;
    use crate::facts::{self, Facts};

    const BEFORE: &str = r#"
        package shop;
        service Inquiry { rpc Ask(Question) returns (Answer); rpc Leave(Question) returns (Answer); }
        message Question { uint64 id = 1; repeated string words = 2; Mood mood = 3; oneof how { bool loud = 4; bool soft = 5; } }
        message Answer { string text = 1; reserved 2; reserved "tone"; message Part { int32 size = 1; } }
        enum Mood { CALM = 0; CROSS = 1; }
    "#;

    struct Only(String);

    impl FileResolver for Only {
        fn resolve_path(&self, _: &Path) -> Option<String> {
            None
        }

        fn open_file(&self, name: &str) -> Result<File, protox::Error> {
            File::from_source(name, &self.0)
        }
    }

    fn read(source: &str) -> Facts {
        let mut compiler =
            protox::Compiler::with_file_resolver(Only(format!("syntax = \"proto3\";{source}")));
        compiler.open_file("shop.proto").unwrap();
        facts::of_file(&compiler.file_descriptor_set().file[0])
    }

    /// What breaks when `old` is replaced by `new`.
    fn change(old: &str, new: &str) -> Vec<String> {
        assert!(BEFORE.contains(old), "{old}");
        breaks(&read(BEFORE), &read(&BEFORE.replace(old, new)))
    }

    #[test]
    fn additions_and_other_words_break_nothing() {
        for (old, new) in [
            ("bool soft = 5;", "bool soft = 5; bool slow = 6;"),
            ("uint64 id = 1;", "/* The one. */ uint64 id = 1; uint64 other = 7;"),
            ("rpc Ask", "rpc More(Question) returns (stream Answer); rpc Ask"),
            ("CROSS = 1;", "CROSS = 1; GLAD = 2;"),
            ("reserved 2;", "reserved 2, 9;"),
            ("enum Mood", "message New { bool yes = 1; } enum Mood"),
        ] {
            assert!(change(old, new).is_empty(), "{new}: {:?}", change(old, new));
        }
    }

    #[test]
    fn what_is_gone_renumbered_or_of_another_shape_breaks() {
        for (old, new) in [
            ("uint64 id = 1;", ""),
            ("uint64 id = 1;", "reserved 1;"),
            ("uint64 id = 1;", "reserved \"id\";"),
            ("uint64 id = 1;", "uint64 id = 9;"),
            ("uint64 id = 1;", "int64 id = 1;"),
            ("uint64 id = 1;", "optional uint64 id = 1;"),
            ("uint64 id = 1;", "uint64 number = 1;"),
            ("repeated string words", "string words"),
            ("Mood mood = 3;", "Answer mood = 3;"),
            ("oneof how { bool loud = 4; bool soft = 5; }", "bool loud = 4; bool soft = 5;"),
            ("message Part { int32 size = 1; }", ""),
            ("int32 size", "int64 size"),
            ("CROSS = 1;", ""),
            ("CROSS = 1;", "ANGRY = 1;"),
            ("CALM = 0; CROSS = 1;", "CROSS = 0; CALM = 1;"),
            ("rpc Leave(Question) returns (Answer);", ""),
            ("rpc Ask(Question)", "rpc Ask(Answer)"),
            ("rpc Ask(Question)", "rpc Ask(stream Question)"),
            ("Leave(Question) returns (Answer)", "Leave(Question) returns (stream Answer)"),
            ("service Inquiry", "service Counter"),
            ("package shop", "package store"),
            ("reserved 2;", ""),
            ("reserved \"tone\";", ""),
        ] {
            assert!(!change(old, new).is_empty(), "{old} became {new:?} and nobody said so");
        }
    }

    #[test]
    fn a_field_or_value_may_go_if_its_number_and_name_are_reserved() {
        assert!(change("uint64 id = 1;", "reserved 1; reserved \"id\";").is_empty());
        assert!(change("repeated string words = 2;", "reserved 2, 7 to 9; reserved \"words\";").is_empty());
        assert!(change("CROSS = 1;", "reserved 1; reserved \"CROSS\";").is_empty());
        let less = "oneof how { bool soft = 5; } reserved 4; reserved \"loud\";";
        assert!(change("oneof how { bool loud = 4; bool soft = 5; }", less).is_empty());
    }
}
