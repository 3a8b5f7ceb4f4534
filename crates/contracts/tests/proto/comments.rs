//! Whoever reads `proto/` reads why: everything in it has a comment.

use std::collections::BTreeSet;

use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto};

// The numbers by which descriptor.proto's paths name their members.
const MESSAGES: i32 = 4;
const ENUMS: i32 = 5;
const SERVICES: i32 = 6;
const MEMBERS: i32 = 2;
const INNER_MESSAGES: i32 = 3;
const INNER_ENUMS: i32 = 4;

/// What has no comment, by name.
pub fn missing(file: &FileDescriptorProto) -> Vec<String> {
    let mut parts = Vec::new();
    for (index, service) in (0..).zip(&file.service) {
        let path = [SERVICES, index];
        parts.push((path.to_vec(), service.name().to_owned()));
        for (inner, method) in (0..).zip(&service.method) {
            parts.push((with(&path, MEMBERS, inner), format!("{}.{}", service.name(), method.name())));
        }
    }
    for (index, message) in (0..).zip(&file.message_type) {
        of_message(message, &[MESSAGES, index], &mut parts);
    }
    for (index, enumeration) in (0..).zip(&file.enum_type) {
        of_enum(enumeration, &[ENUMS, index], &mut parts);
    }
    let commented = commented(file);
    parts.into_iter().filter(|(path, _)| !commented.contains(path)).map(|(_, name)| name).collect()
}

fn of_message(message: &DescriptorProto, path: &[i32], parts: &mut Vec<(Vec<i32>, String)>) {
    parts.push((path.to_vec(), message.name().to_owned()));
    for (index, field) in (0..).zip(&message.field) {
        parts.push((with(path, MEMBERS, index), format!("{}.{}", message.name(), field.name())));
    }
    for (index, inner) in (0..).zip(&message.nested_type) {
        of_message(inner, &with(path, INNER_MESSAGES, index), parts);
    }
    for (index, inner) in (0..).zip(&message.enum_type) {
        of_enum(inner, &with(path, INNER_ENUMS, index), parts);
    }
}

fn of_enum(enumeration: &EnumDescriptorProto, path: &[i32], parts: &mut Vec<(Vec<i32>, String)>) {
    parts.push((path.to_vec(), enumeration.name().to_owned()));
    for (index, value) in (0..).zip(&enumeration.value) {
        parts.push((with(path, MEMBERS, index), format!("{}.{}", enumeration.name(), value.name())));
    }
}

fn with(path: &[i32], member: i32, index: i32) -> Vec<i32> {
    [path, &[member, index]].concat()
}

fn commented(file: &FileDescriptorProto) -> BTreeSet<Vec<i32>> {
    let locations = file.source_code_info.iter().flat_map(|info| &info.location);
    let spoken = locations.filter(|location| !location.leading_comments().trim().is_empty());
    spoken.map(|location| location.path.clone()).collect()
}
