//! The variables that people set: what a program reads, what `.env.example` explains, what docker compose passes on.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::process::Command;

use stack::root;
use stack::shop::Service;

/// Every variable that some program reads, as its help names it.
fn read_by_programs() -> BTreeSet<String> {
    let programs = root::programs().unwrap();
    let mut all = BTreeSet::new();
    for service in Service::ALL {
        let help = Command::new(programs.join(service.name())).args(["serve", "--help"]).output().unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        let names = help.split("[env: ").skip(1).filter_map(|rest| rest.split(['=', ']']).next());
        let names: Vec<String> = names.map(str::to_owned).collect();
        assert!(!names.is_empty(), "{} names no variables", service.name());
        all.extend(names);
    }
    all
}

fn file(name: &str) -> String {
    std::fs::read_to_string(root::find().unwrap().join(name)).unwrap()
}

fn set_by_example() -> BTreeSet<String> {
    let text = file(".env.example");
    names_of(text.lines())
}

/// The names that it shows in a comment.
fn shown_by_example() -> BTreeSet<String> {
    let text = file(".env.example");
    names_of(text.lines().filter_map(|line| line.strip_prefix("# ")))
}

fn names_of<'a>(lines: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let names = lines.filter_map(|line| line.split_once('=')).map(|(name, _)| name);
    names.filter(|name| is_name(name)).map(str::to_owned).collect()
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// Every word of the compose files that could be a variable.
fn in_compose() -> BTreeSet<String> {
    let text = ["", ".dev", ".prod"].map(|kind| file(&format!("docker-compose{kind}.yml"))).concat();
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| is_name(word)).map(str::to_owned).collect()
}

#[test]
fn every_setting_says_what_it_is_for() {
    let programs = root::programs().unwrap();
    for service in Service::ALL {
        let help = Command::new(programs.join(service.name())).args(["serve", "--help"]).output().unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        for setting in help.split("\n      --").skip(1) {
            let (name, words) = setting.split_once('\n').unwrap_or((setting, ""));
            let words = words.trim_start();
            assert!(
                !words.is_empty() && !words.starts_with("[env"),
                "{}: nothing about --{name}",
                service.name()
            );
        }
    }
}

#[test]
fn every_variable_that_a_program_reads_is_explained() {
    let known: BTreeSet<String> = set_by_example().union(&shown_by_example()).cloned().collect();
    let unknown: Vec<String> = read_by_programs().difference(&known).cloned().collect();
    assert!(unknown.is_empty(), ".env.example says nothing of {unknown:?}");
}

#[test]
fn every_variable_that_is_set_reaches_docker_compose() {
    let lost: Vec<String> = set_by_example().difference(&in_compose()).cloned().collect();
    assert!(lost.is_empty(), "docker compose passes {lost:?} to nobody");
}
