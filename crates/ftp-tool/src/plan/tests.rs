//! Plans as words, and a target to which a plan was applied.

use proptest::prelude::*;

use super::*;
use crate::tree::UnsafeName;

fn path(text: &str) -> RelPath {
    text.split('/').fold(RelPath::top(), |path, name| {
        path.join(name.as_bytes()).unwrap()
    })
}

/// `a/` is a directory, `b@` something else, `b->text` a link, `c=12` a file of 12 bytes, `d=12:500` one changed at 500.
fn tree(text: &str) -> Tree {
    let mut tree = Tree::default();
    for word in text.split_whitespace() {
        let (name, node) = if let Some(name) = word.strip_suffix('/') {
            (name, Node::Directory)
        } else if let Some((name, text)) = word.split_once("->") {
            (name, Node::Link(text.as_bytes().to_vec()))
        } else if let Some(name) = word.strip_suffix('@') {
            (name, Node::Other)
        } else {
            let (name, facts) = word.split_once('=').unwrap();
            let (size, time) = facts.split_once(':').unwrap_or((facts, ""));
            let modified = time
                .parse()
                .ok()
                .map(|unix| Modified { unix, precision: 1 });
            let size = size.parse().ok();
            (name, Node::File { size, modified })
        };
        tree.nodes.insert(path(name), node);
    }
    tree
}

fn rules(delete: bool) -> Rules {
    Rules {
        delete,
        ..Rules::default()
    }
}

/// One word for each action: `+dir/`, `>file`, `?file`, `-file`, `-dir/`.
fn words(plan: &Plan) -> String {
    let all = [
        &plan.clear,
        &plan.directories,
        &plan.transfers,
        &plan.links,
        &plan.removals,
    ];
    let words: Vec<String> = all.into_iter().flatten().map(word).collect();
    words.join(" ")
}

fn word(action: &Action) -> String {
    match action {
        Action::MakeDirectory(path) => format!("+{path}/"),
        Action::Transfer {
            path,
            why: Why::CompareFirst,
            ..
        } => format!("?{path}"),
        Action::Transfer { path, .. } => format!(">{path}"),
        Action::MakeLink { path, text } => format!("@{path}->{}", text.escape_ascii()),
        Action::RemoveFile(path) => format!("-{path}"),
        Action::RemoveDirectory(path) => format!("-{path}/"),
    }
}

fn planned(source: &str, target: &str, rules: &Rules) -> String {
    words(&plan(&tree(source), &tree(target), rules))
}

#[test]
fn what_is_missing_is_made_and_what_is_the_same_is_not() {
    let source = "a/ a/x=1:100 b=2:100 c=3:100 l@";
    assert_eq!(planned(source, "", &rules(false)), "+a/ >a/x >b >c");
    assert_eq!(
        planned(source, "a/ a/x=1:100 b=2:99 c=4:200", &rules(false)),
        ">b >c"
    );
    let skipped = plan(&tree(source), &tree(""), &rules(false)).skipped;
    assert_eq!(skipped, [(path("l"), Skip::NotAFile)]);
}

#[test]
fn links_are_made_where_they_stay_inside_and_replaced_where_they_differ() {
    let source = "a/ a/up->../b=1 same->b other->c=2 b=1:1";
    let source = source.replace("=1 same", " same").replace("c=2", "c");
    let target = "a/ same->b other->b b=1:1";
    assert_eq!(
        planned(&source, target, &rules(false)),
        "-other @a/up->../b @other->c"
    );
    assert_eq!(planned("l->x", "l=1:1", &rules(false)), "");
    assert_eq!(planned("l->x", "l=1:1", &rules(true)), "-l @l->x");
    assert_eq!(
        planned("l->x", "l/ l/y=1:1", &rules(true)),
        "-l/y -l/ @l->x"
    );
    for out in ["/etc", "..", "a/..", "./../x", ""] {
        let source = tree(&format!("l->{out}"));
        let found = plan(&source, &Tree::default(), &rules(true));
        assert_eq!(found.skipped, [(path("l"), Skip::LeadsOut)], "{out}");
    }
}

#[test]
fn a_newer_target_and_an_imprecise_time_are_left_alone() {
    assert_eq!(planned("a=1:100", "a=1:200", &rules(true)), "");
    let source = tree("a=1:150");
    let mut target = tree("a=1:120");
    target.nodes.insert(
        path("a"),
        Node::File {
            size: Some(1),
            modified: Some(Modified {
                unix: 120,
                precision: 60,
            }),
        },
    );
    assert!(plan(&source, &target, &rules(false)).is_empty());
}

#[test]
fn unknown_sizes_and_times_are_no_proof_of_sameness() {
    assert_eq!(planned("a=?", "a=5:1", &rules(false)), ">a");
    assert_eq!(planned("a=5", "a=5:1", &rules(false)), "");
}

#[test]
fn hashes_are_asked_for_only_when_the_sizes_agree() {
    let by_hash = Rules {
        compare: Compare::Hash,
        ..rules(false)
    };
    assert_eq!(
        planned("a=1:1 b=2:1 c=3:1", "a=1:1 b=3:1", &by_hash),
        "?a >b >c"
    );
    let by_size = Rules {
        compare: Compare::Size,
        ..rules(false)
    };
    assert_eq!(planned("a=1:9", "a=1:1", &by_size), "");
}

#[test]
fn deletion_goes_from_the_leaves_to_the_root() {
    let target = "d/ d/e/ d/e/f=1 d/g=1 x=1 l@";
    assert_eq!(planned("x=1", target, &rules(false)), "");
    assert_eq!(
        planned("x=1", target, &rules(true)),
        "-l -d/g -d/e/f -d/e/ -d/"
    );
}

#[test]
fn nothing_is_deleted_where_the_source_is_unknown() {
    let mut source = tree("d/");
    source.unknown.push(path("d"));
    let made = plan(&source, &tree("d/ d/x=1 y=1"), &rules(true));
    assert_eq!(words(&made), "-y");
    assert_eq!(made.skipped, [(path("d/x"), Skip::Unknown)]);
    source.unknown = vec![RelPath::top()];
    assert_eq!(words(&plan(&source, &tree("d/ y=1"), &rules(true))), "");
}

#[test]
fn nothing_is_deleted_while_a_name_of_the_source_cannot_be_read() {
    let mut source = tree("");
    source.unsafe_names.push(UnsafeName(b"a\\b".to_vec()));
    assert_eq!(words(&plan(&source, &tree("x=1"), &rules(true))), "");
}

#[test]
fn excluded_paths_are_neither_copied_nor_deleted_nor_their_directories() {
    let rules = Rules {
        filter: Filter::new(&[], &["*.log", "tmp/"]),
        ..rules(true)
    };
    assert_eq!(planned("a.log=1 tmp/ tmp/x=1 b=1", "", &rules), ">b");
    assert_eq!(
        planned("", "old/ old/a.log=1 old/b=1 tmp/ tmp/x=1", &rules),
        "-old/b"
    );
}

#[test]
fn a_file_where_a_directory_was_waits_for_delete() {
    let kinds = plan(&tree("a=1 b/ b/x=1"), &tree("a/ a/y=1 b=2"), &rules(false));
    assert_eq!(words(&kinds), "");
    assert_eq!(kinds.skipped.len(), 2);
    let source = "a=1 b/ b/x=1";
    assert_eq!(
        planned(source, "a/ a/y=1 b=2", &rules(true)),
        "-a/y -a/ -b +b/ >a >b/x"
    );
}

/// Does to a tree what a plan says.
fn apply(plan: &Plan, source: &Tree, target: &Tree) -> Tree {
    let mut made = target.clone();
    let all = [
        &plan.clear,
        &plan.directories,
        &plan.transfers,
        &plan.links,
        &plan.removals,
    ];
    for action in all.into_iter().flatten() {
        match action {
            Action::MakeDirectory(path) => {
                assert!(
                    path.depth() == 1 || made.nodes.get(&path.parent()) == Some(&Node::Directory)
                );
                assert_eq!(made.nodes.insert(path.clone(), Node::Directory), None);
            }
            Action::Transfer { path, .. } => {
                assert!(
                    path.depth() == 1 || made.nodes.get(&path.parent()) == Some(&Node::Directory)
                );
                assert_ne!(made.nodes.get(path), Some(&Node::Directory));
                made.nodes.insert(path.clone(), source.nodes[path].clone());
            }
            Action::MakeLink { path, text } => {
                let node = Node::Link(text.clone());
                assert_eq!(made.nodes.insert(path.clone(), node), None);
            }
            Action::RemoveFile(path) => {
                assert!(!matches!(
                    made.nodes.remove(path),
                    None | Some(Node::Directory)
                ));
            }
            Action::RemoveDirectory(path) => {
                assert_eq!(made.nodes.remove(path), Some(Node::Directory));
                assert!(!made.nodes.keys().any(|other| other.is_within(path)));
            }
        }
    }
    made
}

fn any_tree() -> impl Strategy<Value = Tree> {
    let name = prop::sample::select(vec!["a", "b", "c"]);
    let entry = (prop::collection::vec(name, 1..4), 0..4_u64, 0..3_i64);
    prop::collection::vec(entry, 0..10).prop_map(|entries| {
        let mut tree = Tree::default();
        for (names, size, unix) in entries {
            let mut at = RelPath::top();
            let last = names.len() - 1;
            for (index, name) in names.into_iter().enumerate() {
                at = at.join(name.as_bytes()).unwrap();
                let fresh = if index < last || size == 0 {
                    Node::Directory
                } else if size == 3 {
                    Node::Link(format!("to{unix}").into_bytes())
                } else {
                    let modified = Some(Modified { unix, precision: 1 });
                    Node::File {
                        size: Some(size),
                        modified,
                    }
                };
                if tree.nodes.entry(at.clone()).or_insert(fresh) != &Node::Directory {
                    break;
                }
            }
        }
        tree
    })
}

proptest! {
    #[test]
    fn after_a_mirror_with_delete_there_is_nothing_left_to_do(
        source in any_tree(),
        target in any_tree(),
    ) {
        let first = plan(&source, &target, &rules(true));
        let made = apply(&first, &source, &target);
        prop_assert!(source.nodes.keys().eq(made.nodes.keys()));
        prop_assert!(plan(&source, &made, &rules(true)).is_empty());
    }

    #[test]
    fn without_delete_nothing_vanishes(source in any_tree(), target in any_tree()) {
        let made = apply(&plan(&source, &target, &rules(false)), &source, &target);
        prop_assert!(target.nodes.keys().all(|path| made.nodes.contains_key(path)));
    }
}
