//! What the real one does, asked of ours.

use crate::text::testing::run;

fn awk(program: &str, input: &str) -> String {
    let (out, error, _) = run(&["mawk", program], input.as_bytes());
    out + &error
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn programs_do_what_mawk_does() {
    for (program, input, expected) in [
        ("{m[$1]=$2} END{print m[\"k2\"]}", "k1 v1\nk2 v2\n", "v2\n"),
        ("BEGIN{while(i<3)print ++i}", "", "1\n2\n3\n"),
        ("{print $1^$2, $1%$2}", "5 3\n", "125 2\n"),
        (
            "BEGIN{print 1e6, 1e20, 0.1, 100000000000, 3.0, 1234567.891, -0, 2^53, 1/3}",
            "",
            "1000000 1e+20 0.1 1e+11 3 1.23457e+06 0 9.0072e+15 0.333333\n",
        ),
        (
            "BEGIN{printf \"%d %s %c|%5.2f|%-5s|%x %o %e %g %i\\n\", 3.9,\"a\",65,3.14159,\"ab\",255,8,12345.678,1e10,7}",
            "",
            "3 a A| 3.14|ab   |ff 10 1.234568e+04 1e+10 7\n",
        ),
        (
            "BEGIN{x[\"b\"];x[\"a\"];x[1];x[10];x[2];for(k in x)print k}",
            "",
            "10\n2\n1\nb\na\n",
        ),
        ("function f(a){return a*2} BEGIN{print f(4)}", "", "8\n"),
        (
            "function f(x){x[1]=5} BEGIN{f(a); print a[1]; print (1,2) in a; if (!(3 in a)) print \"no\"; delete a[1]; print length(a)}",
            "",
            "5\n0\nno\n0\n",
        ),
        (
            "function f(n){return n<2?1:n*f(n-1)} BEGIN{print f(10)}",
            "",
            "3628800\n",
        ),
        (
            "BEGIN{$3=\"x\"; print; print NF; $0=\"a b c\"; $2=\"\"; print; NF=2; print}",
            "",
            "  x\n3\na  c\na \n",
        ),
        (
            "BEGIN{s=\"aaa\"; print gsub(/a/,\"[&]\",s), s; gsub(/x*/,\"-\",s); print s}",
            "",
            "3 [a][a][a]\n-[-a-]-[-a-]-[-a-]-\n",
        ),
        (
            "BEGIN{print substr(\"hello\",2,3), substr(\"hello\",0,2), substr(\"hello\",-1), substr(\"hello\",4,100), index(\"abc\",\"c\")}",
            "",
            "ell he hello lo 3\n",
        ),
        (
            "BEGIN{print -1 \" \" -1; print 1 - 1; print 1 -1; x=5; print x++ + ++x, x--, x; print !0 !1; print 2^-1}",
            "",
            "-1-1\n0\n0\n12 7 6\n10\n0.5\n",
        ),
        (
            "BEGIN{a=\"10\";b=9; print (a<b), (\"10\"<9), (\"abc\"<1)}",
            "",
            "1 1 0\n",
        ),
        ("$1<$2{print \"lt\"}", "10 9\n9 10\n", "lt\n"),
        ("NR==1,NR==2", "a\nb\nc\n", "a\nb\n"),
        ("END{print NR, $0}", "a\nb\n", "2 b\n"),
        (
            "BEGIN{RS=\"\"}{print NR\": \"$1\"-\"$NF; print NF}",
            "\n\na b\nc d\n\n\ne f\n",
            "1: a-d\n4\n2: e-f\n2\n",
        ),
        ("BEGIN{RS=\"[0-9]+\"}{print}", "a1b22c", "a\nb\nc\n"),
        (
            "BEGIN{getline; print \"got \" $0; getline x; print x, NR}",
            "hello\nworld\n",
            "got hello\nworld 2\n",
        ),
        ("BEGIN{exit 3} END{print \"e\"}", "", "e\n"),
        (
            "BEGIN{srand(42); print rand(), rand(); print srand(7)}",
            "",
            "0.0334699 0.329964\n42\n",
        ),
        ("BEGIN{print length(\"abc\") length \"d\"}", "", "30d\n"),
        (
            "BEGIN{while((getline l < \"/etc/hostname\") > 0) print \"<\" l \">\"}",
            "",
            "<web01>\n",
        ),
        (
            "BEGIN{print \"x\" > \"/tmp/o\"; close(\"/tmp/o\"); getline z < \"/tmp/o\"; print z, (getline q < \"/nope\")}",
            "",
            "x -1\n",
        ),
        (
            "BEGIN{for(;;){if(i++>5)break;if(i==3)continue;printf \"%d \", i} print \"\"}",
            "",
            "1 2 4 5 6 \n",
        ),
        (
            "BEGIN{if(1)print \"a\";else print \"b\"; if(0){}\nelse\nprint \"c\"}",
            "",
            "a\nc\n",
        ),
        (
            "BEGIN { n = split(\"a:b:c\", p, \":\"); for (i = n; i > 0; i--) s = s p[i]; print s }",
            "",
            "cba\n",
        ),
        (
            "BEGIN{print 1==1 ? \"y\":\"n\"; print toupper(\"ab\") tolower(\"CD\"), match(\"foobar\",/o+/), RSTART, RLENGTH}",
            "",
            "y\nABcd 2 2 2\n",
        ),
        (
            "/hello/{print \"x\"} !/hello/",
            "hello\nworld\n",
            "x\nworld\n",
        ),
        ("{print $NF-1, $(NF-1)}", "1 5\n", "4 1\n"),
        (
            "BEGIN{a[1];for(k in a){print k;break};print \"end\"}",
            "",
            "1\nend\n",
        ),
    ] {
        assert_eq!(awk(program, input), expected, "{program}");
    }
    assert_eq!(
        run(&["mawk", "-F:", "-v", "x=a\\tb", "{print $2, x}"], b"a:b\n").0,
        "b a\tb\n"
    );
    assert_eq!(
        run(
            &["mawk", "{print v, FILENAME}", "v=1", "/etc/hostname"],
            b""
        )
        .0,
        "1 /etc/hostname\n"
    );
    assert_eq!(run(&["mawk", "BEGIN{exit 3}"], b"").2, 3);
}

#[test]
fn mistakes_are_worded_as_mawk_words_them() {
    for (program, expected) in [
        ("BEGIN{print 1", "line 2: missing } near end of file"),
        ("{print )}", "line 1: extra ')'"),
        ("BEGIN{foo(1)}", "line 2: function foo never defined"),
        (
            "BEGIN{printf \"%s\"}",
            "run time error: not enough arguments passed to printf(\"%s\")\n\tFILENAME=\"\" FNR=0 NR=0",
        ),
        ("@", "1: unexpected character '@'"),
        ("BEGIN{return}", "line 1: return outside function body"),
        ("/a", "line 1: runaway regular expression /a ..."),
        (
            "/(/",
            "line 1: regular expression compile failed (missing ')')\n(",
        ),
        ("BEGIN{x = ; }", "line 1: syntax error at or near ;"),
        (
            "BEGIN{print \"a\" > \"/nope/x\"}",
            "cannot open \"/nope/x\" for output (No such file or directory)",
        ),
        (
            "{print $-1}",
            "run time error: negative field index $-1\n\tFILENAME=\"-\" FNR=1 NR=1",
        ),
        (
            "}",
            "line 1: extra '}'\nmawk: line 1: syntax error at or near end of line",
        ),
    ] {
        let (_, error, status) = run(&["mawk", program], b"a\n");
        assert_eq!(
            (error, status),
            (format!("mawk: {expected}\n"), 2),
            "{program}"
        );
    }
    let (_, error, status) = run(&["mawk", "1", "/nope"], b"");
    assert_eq!(
        (error.as_str(), status),
        ("mawk: cannot open /nope (No such file or directory)\n", 2)
    );
}

#[test]
fn nothing_a_program_does_outlasts_its_budget() {
    let limits = sundew_kernel::budget::Limits {
        process_cpu: std::time::Duration::from_millis(2),
        memory_bytes: 1 << 20,
        ..Default::default()
    };
    let programs: Vec<_> = crate::table::programs().collect();
    for (program, status) in [
        ("BEGIN{while(1){}}", 137),
        ("BEGIN{s=\"x\";while(1)s=s s}", 2),
        ("BEGIN{while(1)a[i++]=i}", 2),
        ("function f(){f()} BEGIN{f()}", 2),
    ] {
        let finished =
            sundew_kernel::testing::run(&programs, &["mawk", program], b"", limits.clone());
        let code = finished.status.map(sundew_kernel::ExitStatus::code);
        assert!(
            code == Some(status) || code == Some(137),
            "{program}: {code:?}"
        );
    }
    let deep = format!(
        "BEGIN{{print {}1{}}}",
        "(".repeat(100_000),
        ")".repeat(100_000)
    );
    assert_eq!(run(&["mawk", &deep], b"").2, 2);
}
