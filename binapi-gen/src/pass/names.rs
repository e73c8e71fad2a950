//! Rust names: casing, keywords, collisions, the names of enumerators without what all of them share.

use std::collections::HashMap;

use heck::{ToSnakeCase, ToUpperCamelCase};
use vpp_schema::EnumDef;

use crate::error::Fault;
use crate::special_cases;

/// The Rust name of a message or type: `ip_route_add_del_v2` is `IpRouteAddDelV2`.
pub(crate) fn type_name(vpp_name: &str) -> Result<String, Fault> {
    let name = match special_cases::rust_name(vpp_name) {
        Some(name) => name.to_owned(),
        None => vpp_name.to_upper_camel_case(),
    };
    // `Self` is the only keyword of this casing.
    let name = if name == "Self" { "Self_".to_owned() } else { name };
    checked(name, vpp_name)
}

/// The Rust name of a module or field: VPP's, in lower case, keywords with an underscore behind.
pub(crate) fn snake_name(vpp_name: &str) -> Result<String, Fault> {
    let is_snake = vpp_name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    let name = if is_snake { vpp_name.to_owned() } else { vpp_name.to_snake_case() };
    let is_keyword = syn::parse_str::<syn::Ident>(&name).is_err() && is_identifier(&name);
    checked(if is_keyword { format!("{name}_") } else { name }, vpp_name)
}

fn checked(name: String, vpp_name: &str) -> Result<String, Fault> {
    if is_identifier(&name) { Ok(name) } else { Err(Fault::NotAName { name: vpp_name.to_owned() }) }
}

fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || (b == b'_' && name.len() > 1))
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The Rust names of a block's fields, or of a union's members, in their order.
pub(crate) fn field_names<'a>(fields: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>, Fault> {
    unique(fields.into_iter().map(|field| Ok((snake_name(field)?, field))))
}

/// The Rust names of a union's arms, in their order.
pub(crate) fn arm_names<'a>(members: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>, Fault> {
    // `Unknown` is the arm of values without a member.
    unique(members.into_iter().map(|member| {
        let name = type_name(member)?;
        Ok((if name == "Unknown" { "Unknown_".to_owned() } else { name }, member))
    }))
}

fn unique<'a>(names: impl Iterator<Item = Result<(String, &'a str), Fault>>) -> Result<Vec<String>, Fault> {
    let mut taken: HashMap<String, &str> = HashMap::new();
    let mut unique = Vec::new();
    for named in names {
        let (name, vpp_name) = named?;
        if let Some(first) = taken.insert(name.clone(), vpp_name) {
            return Err(Fault::MemberTaken { name, first: first.to_owned(), second: vpp_name.to_owned() });
        }
        unique.push(name);
    }
    Ok(unique)
}

/// The Rust names of an enum's members, in their order: without the tokens that all of them share.
///
/// Where a rest would start with a digit, the last telling token of the prefix stays: `IPSEC_API_CRYPTO_ALG_3DES_CBC`
/// is `ALG_3DES_CBC`.
pub(crate) fn member_names(enum_name: &str, definition: &EnumDef) -> Result<Vec<String>, Fault> {
    let members: Vec<Vec<&str>> =
        definition.members.iter().map(|(name, _)| name.split('_').collect()).collect();
    let shared = match &members[..] {
        [] => 0,
        [only] => only_prefix(enum_name, only),
        [first, rest @ ..] => {
            let longest = rest.iter().map(|tokens| tokens.len()).chain([first.len()]).min().unwrap_or(0);
            (0..longest.saturating_sub(1))
                .take_while(|&at| rest.iter().all(|tokens| tokens[at] == first[at]))
                .count()
        }
    };
    let chosen: Option<Vec<&str>> =
        special_cases::member_prefix(enum_name).map(|prefix| prefix.split('_').collect());
    unique(members.iter().zip(&definition.members).map(|(tokens, (vpp_name, _))| {
        let cut = match &chosen {
            Some(prefix) if tokens.len() > prefix.len() && tokens.starts_with(prefix) => prefix.len(),
            _ => shared,
        };
        Ok((checked(rest_of(tokens, cut), vpp_name)?, vpp_name.as_str()))
    }))
}

/// How many tokens of an enum's only member repeat the enum's own name.
fn only_prefix(enum_name: &str, tokens: &[&str]) -> usize {
    let of_the_enum: Vec<String> = enum_name.split('_').map(str::to_ascii_uppercase).collect();
    tokens[..tokens.len() - 1]
        .iter()
        .take_while(|token| {
            of_the_enum.iter().any(|own| own == *token) || special_cases::EMPTY_TOKENS.contains(token)
        })
        .count()
}

fn rest_of(tokens: &[&str], cut: usize) -> String {
    let rest = tokens[cut..].join("_").to_ascii_uppercase();
    let starts_badly = !rest.starts_with(|c: char| c.is_ascii_alphabetic()) || is_reserved(&rest);
    if !starts_badly {
        return rest;
    }
    let kept = tokens[..cut].iter().rfind(|token| !special_cases::EMPTY_TOKENS.contains(token));
    format!("{}_{rest}", kept.unwrap_or(&"")).to_ascii_uppercase()
}

/// Names of constants that every enum has from its traits.
fn is_reserved(name: &str) -> bool {
    matches!(name, "MEMBERS" | "IS_FLAGS" | "MIN_LEN")
}

#[cfg(test)]
mod tests {
    use vpp_schema::Scalar;

    use super::*;

    fn members(enum_name: &str, names: &[&str]) -> Vec<String> {
        let members = names.iter().zip(0..).map(|(name, value)| ((*name).to_owned(), value)).collect();
        member_names(enum_name, &EnumDef { repr: Scalar::U32, is_flags: false, members }).unwrap()
    }

    #[test]
    fn types_and_fields() {
        for (vpp, rust) in [
            ("sw_interface_set_flags", "SwInterfaceSetFlags"),
            ("ip6_address", "Ip6Address"),
            ("gre_tunnel_dump_v2", "GreTunnelDumpV2"),
            ("timedelta", "TimeDelta"),
            ("self", "Self_"),
        ] {
            assert_eq!(type_name(vpp).unwrap(), rust);
        }
        for (vpp, rust) in [
            ("type", "type_"),
            ("match", "match_"),
            ("is_ip6", "is_ip6"),
            ("drop_M", "drop_m"),
            ("T1", "t1"),
            ("self", "self_"),
        ] {
            assert_eq!(snake_name(vpp).unwrap(), rust);
        }
        for bad in ["", "1st", "é", "_"] {
            assert_eq!(snake_name(bad).unwrap_err(), Fault::NotAName { name: bad.to_owned() });
        }
    }

    #[test]
    fn members_lose_what_they_share() {
        assert_eq!(
            members("if_status_flags", &["IF_STATUS_API_FLAG_ADMIN_UP", "IF_STATUS_API_FLAG_LINK_UP"]),
            ["ADMIN_UP", "LINK_UP"]
        );
        assert_eq!(members("direction", &["RX", "TX"]), ["RX", "TX"]);
        assert_eq!(members("prefix_is_a_member", &["A_B", "A_B_C"]), ["B", "B_C"]);
        assert_eq!(members("alg", &["X_API_ALG_AES", "X_API_ALG_3DES"]), ["AES", "ALG_3DES"]);
        assert_eq!(members("policer", &["TYPE_API_1R2C", "TYPE_API_2R3C"]), ["TYPE_1R2C", "TYPE_2R3C"]);
        assert_eq!(members("tunnel_flags", &["TUNNEL_API_FLAG_TRACK_MTU"]), ["TRACK_MTU"]);
        assert_eq!(members("odd", &["ODD"]), ["ODD"]);
        assert_eq!(members("lb_vip_type", &["LB_API_VIP_TYPE_A", "LB_API_VIP_N_TYPES"]), ["A", "N_TYPES"]);
        assert_eq!(members("k", &["K_MEMBERS", "K_NONE"]), ["K_MEMBERS", "NONE"]);
    }

    #[test]
    fn two_names_that_become_one_are_refused() {
        let fault = field_names(["drop_M", "drop_m"]).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "drop_M and drop_m are both called drop_m in Rust; give one of them another name"
        );
    }
}
