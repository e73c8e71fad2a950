//! Facts that complete definitions: which member of a union counts, and what a field defaults to.
//!
//! Neither CRC nor layout covers them, so what one release tells of a definition holds for every release that has the
//! same. VPP tells since 26.06 what selects the members of unions (but of `mprefix`, whose two unions share a family);
//! its handlers did the same before. This is the only place that knows: every [`Api`] is completed when it is read,
//! whatever from, so that the codec and generated code agree on every release.
//!
//! What the definition itself says always counts. Nothing here moves a byte: a name that stands for something else than
//! what is known of it is left alone.

use crate::model::{Api, Completed, DefaultValue, EnumDef, Field, FieldType, TypeId, TypeKind, TypeRef};

/// A union whose member a field before it selects.
struct KnownUnion {
    name: &'static str,
    /// The field before it, in the same block.
    discriminator: &'static str,
    /// Each member and the enumerator that selects it.
    cases: &'static [(&'static str, &'static str)],
}

const UNIONS: &[KnownUnion] = &[
    KnownUnion {
        name: "address_union",
        discriminator: "af",
        cases: &[("ip4", "ADDRESS_IP4"), ("ip6", "ADDRESS_IP6")],
    },
    KnownUnion {
        name: "eid_address",
        discriminator: "type",
        cases: &[("prefix", "EID_TYPE_API_PREFIX"), ("mac", "EID_TYPE_API_MAC"), ("nsh", "EID_TYPE_API_NSH")],
    },
    KnownUnion {
        name: "flow",
        discriminator: "type",
        cases: &[
            ("ethernet", "FLOW_TYPE_ETHERNET"),
            ("ip4", "FLOW_TYPE_IP4"),
            ("ip6", "FLOW_TYPE_IP6"),
            ("ip4_l2tpv3oip", "FLOW_TYPE_IP4_L2TPV3OIP"),
            ("ip4_ipsec_esp", "FLOW_TYPE_IP4_IPSEC_ESP"),
            ("ip4_ipsec_ah", "FLOW_TYPE_IP4_IPSEC_AH"),
            ("ip4_n_tuple", "FLOW_TYPE_IP4_N_TUPLE"),
            ("ip6_n_tuple", "FLOW_TYPE_IP6_N_TUPLE"),
            ("ip4_n_tuple_tagged", "FLOW_TYPE_IP4_N_TUPLE_TAGGED"),
            ("ip6_n_tuple_tagged", "FLOW_TYPE_IP6_N_TUPLE_TAGGED"),
            ("ip4_vxlan", "FLOW_TYPE_IP4_VXLAN"),
            ("ip6_vxlan", "FLOW_TYPE_IP6_VXLAN"),
            ("ip4_gtpc", "FLOW_TYPE_IP4_GTPC"),
            ("ip4_gtpu", "FLOW_TYPE_IP4_GTPU"),
        ],
    },
    KnownUnion {
        name: "flow_v2",
        discriminator: "type",
        cases: &[
            ("ethernet", "FLOW_TYPE_ETHERNET_V2"),
            ("ip4", "FLOW_TYPE_IP4_V2"),
            ("ip6", "FLOW_TYPE_IP6_V2"),
            ("ip4_l2tpv3oip", "FLOW_TYPE_IP4_L2TPV3OIP_V2"),
            ("ip4_ipsec_esp", "FLOW_TYPE_IP4_IPSEC_ESP_V2"),
            ("ip4_ipsec_ah", "FLOW_TYPE_IP4_IPSEC_AH_V2"),
            ("ip4_n_tuple", "FLOW_TYPE_IP4_N_TUPLE_V2"),
            ("ip6_n_tuple", "FLOW_TYPE_IP6_N_TUPLE_V2"),
            ("ip4_n_tuple_tagged", "FLOW_TYPE_IP4_N_TUPLE_TAGGED_V2"),
            ("ip6_n_tuple_tagged", "FLOW_TYPE_IP6_N_TUPLE_TAGGED_V2"),
            ("ip4_vxlan", "FLOW_TYPE_IP4_VXLAN_V2"),
            ("ip6_vxlan", "FLOW_TYPE_IP6_VXLAN_V2"),
            ("ip4_gtpc", "FLOW_TYPE_IP4_GTPC_V2"),
            ("ip4_gtpu", "FLOW_TYPE_IP4_GTPU_V2"),
            ("generic", "FLOW_TYPE_GENERIC_V2"),
        ],
    },
    KnownUnion {
        name: "npol_entry_data",
        discriminator: "type",
        cases: &[("cidr", "NPOL_CIDR"), ("port_range", "NPOL_PORT_RANGE"), ("set_id", "NPOL_PORT_IP_SET")],
    },
    KnownUnion {
        name: "punt_union",
        discriminator: "type",
        cases: &[
            ("exception", "PUNT_API_TYPE_EXCEPTION"),
            ("l4", "PUNT_API_TYPE_L4"),
            ("ip_proto", "PUNT_API_TYPE_IP_PROTO"),
        ],
    },
];

/// Fields whose default another release changed while the CRC stayed: the struct or message, the field, and the
/// default of the newest release that has it.
const DEFAULTS: &[(&str, &str, Option<i128>)] = &[
    // No default in 20.09.
    ("gbp_subnet", "sclass", Some(0xffff_ffff)),
    ("gbp_subnet", "sw_if_index", Some(0xffff_ffff)),
    // True in 20.09.
    ("show_lisp_map_register_state_reply", "is_enabled", None),
    ("show_lisp_rloc_probe_state_reply", "is_enabled", None),
];

/// Adds to the definitions what is known of them. Each has to be right by itself.
pub(super) fn complete(api: &mut Api) {
    let types = (0..api.types.len()).map(Block::Type);
    let messages = (0..api.messages.len()).map(Block::Message);
    for block in types.chain(messages).collect::<Vec<_>>() {
        for at in 0..block.fields(api).len() {
            if let Some((discriminator, union, cases)) = selected(api, block.fields(api), at) {
                let field = &mut block.fields_mut(api)[at];
                field.discriminator = Some(discriminator);
                field.completed = Some(Completed::Discriminator);
                select_members(api, union, &cases);
            }
        }
        let (name, known) = (block.name(api).to_owned(), DEFAULTS.iter());
        for (_, field, default) in known.filter(|(holder, ..)| *holder == name) {
            set_default(api, block, field, *default);
        }
    }
}

/// A struct or a message.
#[derive(Clone, Copy)]
enum Block {
    Type(usize),
    Message(usize),
}

impl Block {
    fn name(self, api: &Api) -> &str {
        match self {
            Self::Type(at) => &api.types[at].name,
            Self::Message(at) => &api.messages[at].name,
        }
    }

    fn fields(self, api: &Api) -> &[Field] {
        match self {
            Self::Type(at) => match &api.types[at].kind {
                TypeKind::Struct(fields) => fields,
                TypeKind::Union(_) | TypeKind::Enum(_) | TypeKind::Alias(_) => &[],
            },
            Self::Message(at) => &api.messages[at].fields,
        }
    }

    fn fields_mut(self, api: &mut Api) -> &mut [Field] {
        match self {
            Self::Type(at) => match &mut api.types[at].kind {
                TypeKind::Struct(fields) => fields,
                TypeKind::Union(_) | TypeKind::Enum(_) | TypeKind::Alias(_) => &mut [],
            },
            Self::Message(at) => &mut api.messages[at].fields,
        }
    }
}

/// What selects the member of a field that is a known union whose definition does not say it: the field before it, the
/// union, and the cases of its members.
fn selected(api: &Api, fields: &[Field], at: usize) -> Option<(usize, TypeId, Vec<String>)> {
    let field = &fields[at];
    let FieldType::One(TypeRef::Named(union)) = api.resolve(field.ty) else { return None };
    let TypeKind::Union(members) = &api.ty(union).kind else { return None };
    let known = UNIONS.iter().find(|known| known.name == api.ty(union).name)?;
    if field.discriminator.is_some() {
        return None;
    }
    let discriminator = fields[..at].iter().position(|before| before.name == known.discriminator)?;
    let selector = enum_of(api, &fields[discriminator])?;
    let mut cases: Vec<String> = Vec::with_capacity(members.len());
    for member in members {
        let case = match &member.case {
            Some(declared) => declared.as_str(),
            None => known.cases.iter().find(|(name, _)| *name == member.name)?.1,
        };
        // What the reader demands of declared ones.
        let is_enumerator = selector.members.iter().any(|(name, _)| name == case);
        if !is_enumerator || cases.iter().any(|before| before == case) {
            return None;
        }
        cases.push(case.to_owned());
    }
    Some((discriminator, union, cases))
}

fn enum_of<'a>(api: &'a Api, field: &Field) -> Option<&'a EnumDef> {
    let FieldType::One(TypeRef::Named(id)) = api.resolve(field.ty) else { return None };
    match &api.ty(id).kind {
        TypeKind::Enum(definition) => Some(definition),
        TypeKind::Struct(_) | TypeKind::Union(_) | TypeKind::Alias(_) => None,
    }
}

fn select_members(api: &mut Api, union: TypeId, cases: &[String]) {
    let TypeKind::Union(members) = &mut api.types[union.0 as usize].kind else { return };
    for (member, case) in members.iter_mut().zip(cases) {
        if member.case.is_none() {
            member.case = Some(case.clone());
            member.completed = Some(Completed::Case);
        }
    }
}

fn set_default(api: &mut Api, block: Block, name: &str, default: Option<i128>) {
    let Some(at) = block.fields(api).iter().position(|field| field.name == name) else { return };
    let is_number = match api.resolve(block.fields(api)[at].ty) {
        FieldType::One(TypeRef::Scalar(_)) => true,
        _ => enum_of(api, &block.fields(api)[at]).is_some(),
    };
    let default = default.map(DefaultValue::Int);
    let field = &mut block.fields_mut(api)[at];
    if is_number && field.default != default {
        let declared = std::mem::replace(&mut field.default, default);
        field.completed = Some(Completed::Default { declared });
    }
}
