//! The interfaces as a flat list of facts: what a peer that was built earlier relies on, one line each.

use std::collections::BTreeMap;

use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, ServiceDescriptorProto,
    field_descriptor_proto::{Label, Type},
};

/// What holds (`package.Message 3`), and what it is (`repeated uint64 ids`).
pub type Facts = BTreeMap<String, String>;

pub fn of_file(file: &FileDescriptorProto) -> Facts {
    let mut facts = Facts::new();
    let package = file.package();
    for service in &file.service {
        of_service(service, package, &mut facts);
    }
    for message in &file.message_type {
        of_message(message, package, &mut facts);
    }
    for enumeration in &file.enum_type {
        of_enum(enumeration, package, &mut facts);
    }
    facts
}

fn of_service(service: &ServiceDescriptorProto, package: &str, facts: &mut Facts) {
    for method in &service.method {
        let stream = |streams| if streams { "stream " } else { "" };
        let (sends, answers) = (stream(method.client_streaming()), stream(method.server_streaming()));
        let shape = format!("{sends}{} -> {answers}{}", method.input_type(), method.output_type());
        facts.insert(format!("{package}.{}/{}", service.name(), method.name()), shape);
    }
}

fn of_message(message: &DescriptorProto, scope: &str, facts: &mut Facts) {
    let name = format!("{scope}.{}", message.name());
    facts.insert(name.clone(), "message".to_owned());
    for field in &message.field {
        let choice = field.oneof_index.filter(|_| !field.proto3_optional());
        let choice = choice.and_then(|index| message.oneof_decl.get(usize::try_from(index).ok()?));
        let choice = choice.map(|choice| format!("oneof {} ", choice.name())).unwrap_or_default();
        facts.insert(format!("{name} {}", field.number()), format!("{choice}{}", shape(field)));
    }
    let numbers = message.reserved_range.iter().flat_map(|range| range.start()..range.end());
    reserve(&name, numbers, &message.reserved_name, facts);
    for inner in &message.nested_type {
        of_message(inner, &name, facts);
    }
    for inner in &message.enum_type {
        of_enum(inner, &name, facts);
    }
}

fn shape(field: &FieldDescriptorProto) -> String {
    let label = match field.label() {
        Label::Repeated => "repeated ",
        Label::Required => "required ",
        Label::Optional if field.proto3_optional() => "optional ",
        Label::Optional => "",
    };
    let kind = match field.r#type() {
        Type::Message | Type::Enum | Type::Group => field.type_name().to_owned(),
        scalar => scalar.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    };
    format!("{label}{kind} {}", field.name())
}

fn of_enum(enumeration: &EnumDescriptorProto, scope: &str, facts: &mut Facts) {
    let name = format!("{scope}.{}", enumeration.name());
    facts.insert(name.clone(), "enum".to_owned());
    for value in &enumeration.value {
        facts.insert(format!("{name} {}", value.number()), value.name().to_owned());
    }
    // An enum's ranges include their end, a message's do not.
    let numbers = enumeration.reserved_range.iter().flat_map(|range| range.start()..=range.end());
    reserve(&name, numbers, &enumeration.reserved_name, facts);
}

fn reserve(name: &str, numbers: impl Iterator<Item = i32>, names: &[String], facts: &mut Facts) {
    let numbers = numbers.map(|number| number.to_string());
    for reserved in numbers.chain(names.iter().cloned()) {
        facts.insert(format!("{name} reserved {reserved}"), String::new());
    }
}
