//! These tests check what `docker-compose.yml` promises.

use std::collections::BTreeMap;

use serde_json::Value;

use super::text;

/// The services that stay, by profile: what a user gets.
const DEFAULT: &[&str] = &["balancer", "bookonce-1", "bookonce-2", "eventstore"];
const CLUSTER: &[&str] = &[
    "cluster-balancer",
    "cluster-bookonce-1",
    "cluster-bookonce-2",
    "eventstore-1",
    "eventstore-2",
    "eventstore-3",
];
/// The ones that run once, and end.
const ONCE: &[&str] = &["cluster-certificates", "cluster-rights", "keys"];
/// The one that may be root, for a moment and without a network.
const ROOT: &str = "cluster-certificates";

fn compose() -> Value {
    serde_saphyr::from_str(&text("docker-compose.yml")).unwrap()
}

fn services() -> BTreeMap<String, Value> {
    serde_json::from_value(compose()["services"].clone()).unwrap()
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// A text with every `${NAME:-default}` replaced by its default.
fn with_defaults(text: &str) -> String {
    let Some((before, rest)) = text.split_once("${") else { return text.to_owned() };
    let (variable, after) = rest.split_once('}').unwrap();
    let (name, default) = variable.split_once(":-").unwrap_or_else(|| panic!("{variable} has no default"));
    assert!(name.chars().all(|c| c.is_ascii_uppercase() || c == '_'), "{name}");
    format!("{before}{default}{}", with_defaults(after))
}

fn in_default(service: &Value) -> bool {
    service["profiles"].is_null()
}

fn setting(service: &Value, name: &str) -> Option<String> {
    service["environment"][name].as_str().map(with_defaults)
}

/// Whether a tag names one release: at least two numbers, such as `3.0.10-alpine`.
fn is_pinned(image: &str) -> bool {
    let Some((_, tag)) = image.split_once(':') else { return false };
    tag.split('-').next().unwrap_or_default().split('.').filter(|part| part.parse::<u32>().is_ok()).count()
        >= 2
}

#[test]
fn these_are_the_services() {
    let mut expected: Vec<&str> = [DEFAULT, CLUSTER, ONCE].concat();
    expected.sort_unstable();
    assert_eq!(services().keys().map(String::as_str).collect::<Vec<_>>(), expected);
    for (name, service) in services() {
        let by_default = DEFAULT.contains(&name.as_str()) || name == "keys";
        assert_eq!(in_default(&service), by_default, "{name}");
        assert!(by_default || strings(&service["profiles"]) == ["cluster"], "{name}");
    }
}

#[test]
fn every_image_is_pinned_and_names_no_registry() {
    for (name, service) in services() {
        let image = with_defaults(service["image"].as_str().unwrap());
        assert!(is_pinned(&image), "{name}: {image}");
        let first = image.split(['/', ':']).next().unwrap();
        assert!(!first.contains('.') && first != "localhost", "{name}: {image}");
    }
    let store = |name: &str| services()[name]["image"].as_str().map(with_defaults).unwrap();
    assert!(store("eventstore").starts_with("kurrentplatform/kurrentdb:26.0."));
    assert_eq!(store("eventstore"), store("eventstore-3"));
}

#[test]
fn nobody_is_root_who_stays() {
    for (name, service) in services() {
        let user = service["user"].as_str().unwrap_or_default();
        if name == ROOT {
            assert!(ONCE.contains(&ROOT) && service["network_mode"] == "none");
        } else if user.is_empty() {
            // The image's own user, which `image` checks.
            assert!(service["image"].as_str().unwrap().starts_with("bookonce:"), "{name} says no user");
        } else {
            let (user, group) = user.split_once(':').unwrap();
            assert!(user.parse::<u32>().unwrap() > 0 && group.parse::<u32>().unwrap() > 0, "{name}");
        }
        assert_eq!(strings(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(strings(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        assert!(service["privileged"].is_null(), "{name}");
        assert!(service["cap_add"].is_null() || name == ROOT, "{name}");
    }
}

#[test]
fn whoever_stays_has_a_health_check_and_comes_back() {
    let all = services();
    for name in [DEFAULT, CLUSTER].concat() {
        let service = &all[name];
        let check = strings(&service["healthcheck"]["test"]);
        assert!(check.len() > 1 && check[0] == "CMD", "{name}: {check:?}");
        assert!(service["healthcheck"]["interval"].is_string(), "{name}");
        assert_eq!(service["restart"], "unless-stopped", "{name}");
    }
    for name in ONCE {
        assert_ne!(all[*name]["restart"], "unless-stopped", "{name}");
    }
}

#[test]
fn only_the_balancers_are_published_and_on_loopback_alone() {
    let mut published = Vec::new();
    for (name, service) in services() {
        assert_ne!(service["network_mode"], "host", "{name}");
        for port in strings(&service["ports"]) {
            let parts: Vec<&str> = port.split(':').collect();
            assert_eq!((parts.len(), parts[0]), (3, "127.0.0.1"), "{name}: {port}");
            published.push((name.clone(), parts[1].to_owned()));
        }
    }
    let expected = [("balancer", "7070"), ("cluster-balancer", "7071")];
    assert_eq!(published, expected.map(|(name, port)| (name.to_owned(), port.to_owned())));
}

#[test]
fn two_instances_share_keys_and_a_store_and_nothing_else() {
    let all = services();
    for (one, two) in [("bookonce-1", "bookonce-2"), ("cluster-bookonce-1", "cluster-bookonce-2")] {
        let (first, second) = (&all[one], &all[two]);
        assert_eq!(first["environment"], second["environment"]);
        assert_eq!(setting(first, "BOOKONCE_KEYS").as_deref(), Some("/keys"));
        let folder = |service: &Value, at: &str| {
            let mounted = strings(&service["volumes"]);
            mounted.iter().find(|volume| volume.split(':').nth(1) == Some(at)).cloned().unwrap()
        };
        assert_eq!(folder(first, "/data"), format!("{one}:/data"));
        assert_eq!(folder(second, "/data"), format!("{two}:/data"));
        for instance in [first, second] {
            assert_eq!(folder(instance, "/keys"), "keys:/keys:ro");
            assert!(!strings(&instance["volumes"]).iter().any(|volume| volume.contains("/operator")));
            let waits_for = &instance["depends_on"];
            assert_eq!(waits_for["keys"]["condition"], "service_completed_successfully");
        }
        let balancer = if one == "bookonce-1" { &all["balancer"] } else { &all["cluster-balancer"] };
        assert_eq!(setting(balancer, "INSTANCE_1"), Some(format!("{one}:7070")));
        assert_eq!(setting(balancer, "INSTANCE_2"), Some(format!("{two}:7070")));
        assert_eq!(strings(&balancer["depends_on"]), [one, two]);
    }
}

/// A name that is mounted is declared, and what is declared is mounted.
#[test]
fn what_must_last_is_in_a_volume() {
    let mut mounted: Vec<String> = Vec::new();
    for (name, service) in services() {
        for volume in strings(&service["volumes"]) {
            let from = volume.split(':').next().unwrap();
            if from.starts_with("./deploy/") {
                assert!(super::file(from).exists() && volume.ends_with(":ro"), "{name}: {volume}");
            } else {
                mounted.push(from.to_owned());
            }
        }
    }
    mounted.sort_unstable();
    mounted.dedup();
    let declared: BTreeMap<String, Value> = serde_json::from_value(compose()["volumes"].clone()).unwrap();
    assert_eq!(mounted, declared.keys().cloned().collect::<Vec<_>>());
    for node in ["eventstore", "eventstore-1", "eventstore-2", "eventstore-3"] {
        assert!(strings(&services()[node]["volumes"]).contains(&format!("{node}:/var/lib/kurrentdb")));
    }
}

/// The connection strings mean what they should to the client that reads them.
#[test]
fn the_stores_are_those_of_the_profile() {
    let all = services();
    let store = |name: &str| {
        let uri = setting(&all[name], "BOOKONCE_STORE").unwrap();
        uri.parse::<eventstore::ClientSettings>().unwrap_or_else(|error| panic!("{uri}: {error}"))
    };
    let hosts = |settings: &eventstore::ClientSettings| -> Vec<String> {
        settings.hosts().iter().map(|host| format!("{}:{}", host.host, host.port)).collect()
    };
    let single = store("bookonce-1");
    assert_eq!(hosts(&single), ["eventstore:2113"]);
    assert!(!single.is_secure_mode_enabled());
    assert_eq!(setting(&all["eventstore"], "KURRENTDB_INSECURE").as_deref(), Some("true"));

    let cluster = store("cluster-bookonce-2");
    assert_eq!(hosts(&cluster), ["eventstore-1:2113", "eventstore-2:2113", "eventstore-3:2113"]);
    assert!(cluster.is_secure_mode_enabled() && cluster.is_tls_certificate_verification_enabled());
    assert_eq!(cluster.tls_ca_file().map(String::as_str), Some("/certs/ca/ca.crt"));
    assert!(matches!(cluster.node_preference(), eventstore::NodePreference::Leader));
    assert!(cluster.default_authenticated_user().is_some());
}

#[test]
fn the_nodes_are_a_cluster_with_certificates_of_their_own() {
    let all = services();
    let names = ["eventstore-1", "eventstore-2", "eventstore-3"];
    assert_eq!(strings(&all["cluster-certificates"]["command"]), names);
    for name in names {
        let get = |setting_name: &str| setting(&all[name], setting_name).unwrap_or_default();
        assert_eq!(get("KURRENTDB_INSECURE"), "", "{name} would have no TLS");
        assert_eq!(get("KURRENTDB_CLUSTER_SIZE"), "3");
        let others = names.iter().filter(|other| **other != name).map(|other| format!("{other}:2113"));
        assert_eq!(get("KURRENTDB_GOSSIP_SEED"), others.collect::<Vec<_>>().join(","));
        assert_eq!(get("KURRENTDB_NODE_HOST_ADVERTISE_AS"), name);
        assert_eq!(get("KURRENTDB_REPLICATION_HOST_ADVERTISE_AS"), name);
        assert_eq!(get("KURRENTDB_CERTIFICATE_FILE"), format!("/certs/{name}/node.crt"));
        assert_eq!(get("KURRENTDB_CERTIFICATE_PRIVATE_KEY_FILE"), format!("/certs/{name}/node.key"));
    }
    let password = |service: &str, name: &str| setting(&all[service], name).unwrap();
    assert_eq!(
        password("cluster-rights", "ADMIN_PASSWORD"),
        password("eventstore-1", "KURRENTDB_DEFAULT_ADMIN_PASSWORD")
    );
    let user = password("cluster-rights", "USER_NAME");
    let login = format!("esdb://{user}:{}@", password("cluster-rights", "USER_PASSWORD"));
    assert!(password("cluster-bookonce-1", "BOOKONCE_STORE").starts_with(&login));
}

#[test]
fn every_node_is_set_up_for_a_ledger() {
    for name in ["eventstore", "eventstore-1", "eventstore-2", "eventstore-3"] {
        let node = services().remove(name).unwrap();
        let get = |setting_name: &str| setting(&node, setting_name);
        assert_eq!(get("KURRENTDB_RUN_PROJECTIONS").as_deref(), Some("None"));
        assert_eq!(get("KURRENTDB_TELEMETRY_OPTOUT").as_deref(), Some("true"));
        assert_eq!(get("KURRENTDB_MAX_APPEND_SIZE").as_deref(), Some("1048576"));
        for loses_answers in ["KURRENTDB_MEM_DB", "KURRENTDB_UNSAFE_DISABLE_FLUSH_TO_DISK"] {
            assert_eq!(get(loses_answers), None, "{name}");
        }
    }
}

/// Every setting of the service that the file uses is one that the service knows.
#[test]
fn the_service_knows_its_settings() {
    let (_, help, _) = super::support::process::bookonce(&["serve", "--help"]);
    for (name, service) in services() {
        let Some(environment) = service["environment"].as_object() else { continue };
        for setting in environment.keys().filter(|key| key.starts_with("BOOKONCE_")) {
            let known = ["=", "]"].iter().any(|end| help.contains(&format!("[env: {setting}{end}")));
            assert!(known, "{name}: {setting}");
        }
    }
}
